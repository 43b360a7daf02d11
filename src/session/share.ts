// The share link: cluster spec, seed, inputs and step, deflated into the address's fragment. A link only describes an experiment:
// opening it runs nothing but the simulation, stores nothing, and never overwrites saved work.
import { Inflate, deflateSync, strFromU8, strToU8 } from 'fflate'
import type { DocumentState, VisitorCommand } from '../protocol/messages.ts'
import { type ClusterSpec, CLASSROOM, checkSpec } from '../sim/cluster/spec.ts'

/** Version of the simulation's behaviour: links of another version may replay differently, and the page says so. */
export const SIMULATION_VERSION = 1
export const MAX_ENCODED = 32 * 1024
export const MAX_DECODED = 4 * 1024 * 1024
const MAX_INPUTS = 2000

/** Text that manifests are full of: deflate finds it at no cost. Changing it changes the format. */
const DICTIONARY = strToU8(
  'apiVersion: v1\nkind: ConfigMap\nkind: Secret\nkind: Namespace\napiVersion: batch/v1\nkind: Job\nrestartPolicy: Never\nlivenessProbe:\nreadinessProbe:\n  httpGet: {path: /, port: 80}\nenv:\n- name: value: \nvolumeMounts:\nvolumes:\ncommand: ["sh", "-c", "sleep 5; exit 1"]\nimage: busybox:1.37\nnodeSelector:\ntolerations:\naffinity:\nresources:\n  requests:\n    cpu: 500m\n    memory: 128Mi\n  limits:\n' +
    '"controlPlanes":1,"workers":3,"workerCpu":"4","workerMemory":"8Gi","proxyMode":"iptables","podCIDR":"10.244.0.0/16","serviceCIDR":"10.96.0.0/12","etcdFsyncMs":1' +
    '{"do":"fault","fault":{"kind":"stop-process","process":"kubelet/node-{"kind":"power-off","host":"node-{"kind":"cut-link","a":"control-plane","b":"node-{"do":"delete","ref":{"apiVersion":"v1","kind":"Pod","namespace":"default","name":"{"do":"request","from":"outside","url":"http://"' +
    'apiVersion: apps/v1\\nkind: Deployment\\nmetadata:\\n  name: web\\nspec:\\n  replicas: 3\\n  selector:\\n    matchLabels:\\n      app: web\\n  template:\\n    metadata:\\n      labels:\\n        app: web\\n    spec:\\n      containers:\\n        - name: nginx\\n          image: nginx:1.27\\n          ports:\\n            - containerPort: 80\\n---\\napiVersion: v1\\nkind: Service\\nmetadata:\\n  name: web\\nspec:\\n  selector:\\n    app: web\\n  ports:\\n    - port: 80\\n{"do":"apply","yaml":"',
)

interface Payload {
  readonly v: number
  readonly c?: Partial<ClusterSpec>
  readonly s: number
  readonly i: readonly (readonly [number, VisitorCommand])[]
  readonly at: number
  /** Trace digest at the step, so that the page can say whether it replays the same. */
  readonly d?: string
}

export interface SharedDocument {
  readonly document: DocumentState
  readonly version: number
  readonly digest: string | undefined
}

export class LinkError extends Error {}

export function encodeLink(document: DocumentState, digest?: string): string {
  const changed = Object.fromEntries(Object.entries(document.spec).filter(([key, value]) => CLASSROOM[key as keyof ClusterSpec] !== value))
  const payload: Payload = {
    v: SIMULATION_VERSION,
    ...(Object.keys(changed).length > 0 ? { c: changed } : {}),
    s: document.seed,
    i: document.inputs.map(({ index, command }) => [index, command] as const),
    at: document.index,
    ...(digest ? { d: digest } : {}),
  }
  return toBase64Url(deflateSync(strToU8(JSON.stringify(payload)), { dictionary: DICTIONARY, level: 9 }))
}

/** @throws LinkError that says what is wrong with the link. */
export function decodeLink(text: string): SharedDocument {
  if (text.length > MAX_ENCODED) throw new LinkError(`The link is too long (${text.length} characters, at most ${MAX_ENCODED}).`)
  let payload: Payload
  try {
    payload = JSON.parse(inflate(fromBase64Url(text))) as Payload
  } catch (error) {
    if (error instanceof LinkError) throw error
    throw new LinkError('The link is damaged: its content cannot be read.')
  }
  return check(payload)
}

function check(payload: unknown): SharedDocument {
  const p = payload as Partial<Payload> | null
  const bad = (what: string): never => {
    throw new LinkError(`The link is damaged: ${what}.`)
  }
  if (p === null || typeof p !== 'object') return bad('it holds no experiment')
  if (typeof p.v !== 'number') return bad('its version is missing')
  if (!Number.isInteger(p.s) || !Number.isInteger(p.at) || (p.at as number) < 0) return bad('seed or step is missing')
  if (!Array.isArray(p.i) || p.i.length > MAX_INPUTS) return bad('its list of actions is missing or too long')
  const inputs = p.i.map((entry: unknown) => {
    const [index, command] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (!Number.isInteger(index) || typeof command !== 'object' || command === null || typeof (command as { do?: unknown }).do !== 'string')
      return bad('an action cannot be read')
    return { index: index as number, command: command as VisitorCommand }
  })
  let spec: ClusterSpec
  try {
    spec = checkSpec({ ...CLASSROOM, ...(typeof p.c === 'object' ? p.c : {}) })
  } catch (error) {
    return bad(`its cluster cannot be built (${(error as Error).message})`)
  }
  return {
    document: { spec, seed: p.s as number, inputs, index: p.at as number },
    version: p.v,
    digest: typeof p.d === 'string' ? p.d : undefined,
  }
}

/** Inflates in small pieces and stops at the cap: a small link may claim to be huge. */
function inflate(data: Uint8Array): string {
  const chunks: Uint8Array[] = []
  let size = 0
  const stream = new Inflate({ dictionary: DICTIONARY }, (chunk) => {
    size += chunk.length
    if (size > MAX_DECODED) throw new LinkError('The link unpacks to more than 4 MiB and is refused.')
    chunks.push(chunk)
  })
  for (let i = 0; i < data.length; i += 1024) stream.push(data.subarray(i, i + 1024), i + 1024 >= data.length)
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return strFromU8(all)
}

function toBase64Url(data: Uint8Array): string {
  let text = ''
  for (const byte of data) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64Url(text: string): Uint8Array {
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(raw, (c) => c.charCodeAt(0))
}
