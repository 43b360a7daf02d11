// ServiceAccount: plugin/pkg/admission/serviceaccount. Every pod runs as somebody, and gets the token of that account.
import type { HttpResponse } from '../../../api/http.ts'
import { generateName } from '../../../api/names.ts'
import type { Status } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const DEFAULT = 'default'
const VOLUME = 'kube-api-access'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const MIRROR = 'kubernetes.io/config.mirror'
/** The default account is made by a controller; a pod that comes too early waits for it. */
const DEFAULT_ATTEMPTS = 10

type Data = any

function accountOf(a: Attributes, name: string): KubeObject {
  const known = a.rq.view.get('serviceaccounts', a.namespace, name)
  if (known) return known
  const attempts = name === DEFAULT ? DEFAULT_ATTEMPTS : 1
  const path = `/api/v1/namespaces/${a.namespace}/serviceaccounts/${name}`
  let status: Status | undefined
  for (let i = 0; i < attempts; i++) {
    const afterMs = i === 0 ? 0 : 100 + Math.floor(a.rq.random() * 100)
    const answer = a.rq.need<HttpResponse>(`lookup/${path}/${i}`, { kind: 'lookup', method: 'GET', path, afterMs })
    if (answer.status === 200) return answer.body as KubeObject
    status = answer.body as Status
    if (answer.status !== 404) break
  }
  const why = status && status.code !== 404 ? status.message : `serviceaccount ${JSON.stringify(name)} not found`
  return deny(a, `error looking up service account ${a.namespace}/${name}: ${why}`)
}

const shouldAutomount = (account: KubeObject, pod: KubeObject): boolean =>
  pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true

const tokenSources = (): Data[] => [
  { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
]

function mountToken(a: Attributes, spec: Data): void {
  const existing = (spec.volumes ?? []).find((v: Data) => (v.name ?? '').startsWith(`${VOLUME}-`))
  const name: string = existing ? existing.name : generateName(`${VOLUME}-`, () => a.rq.random())
  let needed = false
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if ((container.volumeMounts ?? []).some((m: Data) => m.mountPath === MOUNT_PATH)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }]
    needed = true
  }
  if (!existing && needed) spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources: tokenSources(), defaultMode: 420 } }]
}

function checkMirror(a: Attributes, spec: Data): void {
  if (spec.serviceAccountName) deny(a, 'a mirror pod may not reference service accounts')
  if (refersToSecrets(spec)) deny(a, 'a mirror pod may not reference secrets')
  const projects = (spec.volumes ?? []).some((v: Data) => (v.projected?.sources ?? []).some((s: Data) => s.serviceAccountToken))
  if (projects) deny(a, 'a mirror pod may not use ServiceAccountToken volume projections')
}

const refersToSecrets = (spec: Data): boolean =>
  (spec.imagePullSecrets ?? []).length > 0 ||
  (spec.volumes ?? []).some((v: Data) => v.secret || (v.projected?.sources ?? []).some((s: Data) => s.secret)) ||
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some(
    (c: Data) => (c.envFrom ?? []).some((e: Data) => e.secretRef) || (c.env ?? []).some((e: Data) => e.valueFrom?.secretKeyRef),
  )

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  handles: (a) => isPod(a) && a.operation === 'CREATE' && a.subresource === '',
  admit(a) {
    const pod = a.object as KubeObject
    const spec = pod.spec as Data
    if (Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR)) {
      checkMirror(a, spec)
      return undefined
    }
    const done: string[] = []
    if (!spec.serviceAccountName) {
      spec.serviceAccountName = DEFAULT
      done.push('serviceAccountName default')
    }
    spec.serviceAccount = spec.serviceAccountName
    const account = accountOf(a, spec.serviceAccountName)
    if (shouldAutomount(account, pod)) {
      mountToken(a, spec)
      done.push('volume kube-api-access')
    }
    if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
      spec.imagePullSecrets = (account.imagePullSecrets as Data[]).map((s) => ({ ...(s.name ? { name: s.name } : {}) }))
      done.push('imagePullSecrets')
    }
    return done.length > 0 ? done.join(', ') : undefined
  },
}
