// A cluster of just etcd and an API server (and, in profile api, the controllers that come with it), with a door for requests from outside:
// what tests, the command line and the bridge talk to. Time moves only as far as a request needs to be answered.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse, type StreamChunk, type WatchEvent } from '../api/http.ts'
import { kubeApiserverType, type KubeApiserverConfig } from '../components/apiserver/apiserver.ts'
import { etcdType } from '../components/etcd/etcd.ts'
import { kubeControllerManagerType, type KubeControllerManagerConfig } from '../components/controller-manager/manager.ts'
import type { EtcdConfig } from '../components/etcd/raft/types.ts'
import type { HistoryOptions } from '../engine/history.ts'
import type { ComponentType, Context } from '../net/context.ts'
import type { CallResult } from '../net/types.ts'
import { Simulation } from './simulation.ts'

export const DOOR = 'door'
export const STATIC_TOKENS: KubeApiserverConfig['tokens'] = {
  'admin-token': { user: 'kubernetes-admin', uid: 'uid-admin', groups: ['system:masters'] },
  'user-token': { user: 'jane', uid: 'uid-jane', groups: ['developers'] },
}
/** Names that callers use for the static tokens. */
const WHO: Readonly<Record<string, string>> = { admin: 'admin-token', jane: 'user-token' }

export interface DoorRequest {
  readonly id: string
  readonly server: string
  readonly request: HttpRequest
  readonly stream: boolean
  readonly summary: string
}

export interface StreamState {
  readonly call: number
  readonly status: number
  readonly headers: HttpResponse['headers']
  readonly events: number
  readonly ended: boolean
}

/** The client at the door: sends what it is given as input and keeps the answers in tables. */
export const doorType: ComponentType = {
  type: 'door',
  handlers: {
    'door.request': (ctx: Context, r: DoorRequest) => {
      const call = ctx.call(r.server, HTTP_REQUEST, r.request, {
        then: { kind: r.stream ? 'door.chunk' : 'door.answer', data: r.id },
        stream: r.stream,
        flow: r.stream ? 'watch' : r.request.method === 'GET' ? 'read' : 'write',
        summary: r.summary,
      })
      if (r.stream) ctx.table<StreamState>('streams').put(r.id, { call, status: 0, headers: {}, events: 0, ended: false })
    },
    'door.answer': (ctx: Context, result: CallResult<HttpResponse, string>) => {
      const answer: HttpResponse =
        result.form === 'response' ? result.value : { status: 0, headers: {}, body: result.form === 'error' ? result.error : result.form }
      ctx.table<HttpResponse>('answers').put(result.data, answer)
    },
    'door.wait': (ctx: Context, ms: number) => ctx.setTimer('wait', ms, 'door.woke', null, { periodic: true }),
    'door.woke': () => {},
    'door.taken': (ctx: Context, id: string) => ctx.table('answers').delete(id),
    'door.chunk': (ctx: Context, result: CallResult<StreamChunk | HttpResponse, string>) => {
      const streams = ctx.table<StreamState>('streams')
      const state = streams.get(result.data)
      if (!state) return
      if (result.form === 'end' || result.form === 'error') {
        streams.put(result.data, { ...state, ended: true })
        return
      }
      if (result.form === 'response') {
        const { status, headers } = result.value as HttpResponse
        ctx.table<unknown>(`stream/${result.data}`).put(chunkKey(state.events), { refused: (result.value as HttpResponse).body ?? '' })
        streams.put(result.data, { ...state, status, headers, events: state.events + 1, ended: true })
        return
      }
      const chunk = result.value as StreamChunk
      if ('head' in chunk) streams.put(result.data, { ...state, status: chunk.head.status, headers: chunk.head.headers })
      else {
        ctx.table<unknown>(`stream/${result.data}`).put(chunkKey(state.events), chunk)
        streams.put(result.data, { ...state, events: state.events + 1 })
      }
    },
    /** Chunks that were read can be forgotten. */
    'door.drained': (ctx: Context, { id, from, to }: { id: string; from: number; to: number }) => {
      for (let n = from; n < to; n++) ctx.table(`stream/${id}`).delete(chunkKey(n))
    },
    'door.close': (ctx: Context, id: string) => {
      const state = ctx.table<StreamState>('streams').get(id)
      if (!state) return
      if (!state.ended) ctx.hangUp(state.call)
      ctx.table('streams').delete(id)
      ctx.table(`stream/${id}`).clear()
    },
  },
}

export const chunkKey = (n: number): string => String(n).padStart(8, '0')

export interface RequestOptions {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
  /** admin (default), jane, anonymous, or a bearer token. */
  readonly as?: string
  readonly summary?: string
}

export function toHttpRequest(r: RequestOptions): HttpRequest {
  const headers: Record<string, string> = { accept: 'application/json' }
  for (const [name, value] of Object.entries(r.headers ?? {})) headers[name.toLowerCase()] = value
  const as = r.as ?? 'admin'
  if (as !== 'anonymous') headers.authorization ??= `Bearer ${Object.hasOwn(WHO, as) ? WHO[as] : as}`
  if (r.body !== undefined) headers['content-type'] ??= 'application/json'
  return { method: r.method ?? 'GET', path: r.path, headers, ...(r.body === undefined ? {} : { body: r.body }), sourceIP: '127.0.0.1' }
}

/** More steps than a single request can take: something is stuck. */
const MAX_STEPS = 200_000

/** Sends a request and runs the steps it needs; anything else that is due meanwhile happens too. */
export function request(sim: Simulation, r: RequestOptions, server?: string): HttpResponse {
  const answers = sim.peek<HttpResponse>(DOOR, 'answers')
  const id = open(sim, r, false, server)
  for (let i = 0; !answers.has(id); i++) if (i > MAX_STEPS || !sim.step()) throw new Error(`no answer to ${r.method ?? 'GET'} ${r.path}`)
  const answer = answers.get(id) as HttpResponse
  sim.input({ target: DOOR, kind: 'door.taken', payload: id })
  return answer
}

function open(sim: Simulation, r: RequestOptions, stream: boolean, server: string | undefined): string {
  const id = `${sim.history.cursor}/${sim.kernel.nextSeq}`
  const target = server ?? sim.processList().find((p) => p.type === 'kube-apiserver' && p.running)?.id ?? 'kube-apiserver/control-plane'
  const summary = r.summary ?? `${r.method ?? 'GET'} ${r.path.split('?')[0]}`
  const payload: DoorRequest = { id, server: target, request: toHttpRequest(r), stream, summary }
  sim.input({ target: DOOR, kind: 'door.request', payload })
  return id
}

export interface DoorStream {
  readonly id: string
  /** HTTP status, 0 before the head is there. */
  status(): number
  headers(): HttpResponse['headers']
  /** What has come so far: watch events, pieces of text, or the body of a refusal. */
  chunks(): ({ event: WatchEvent } | { text: string } | { refused: object | string })[]
  ended(): boolean
  close(): void
}

/** Opens a watch, a followed log …; returns once its head is there. */
export function stream(sim: Simulation, r: RequestOptions, server?: string): DoorStream {
  const id = open(sim, r, true, server)
  const state = (): StreamState | undefined => sim.peek<StreamState>(DOOR, 'streams').get(id)
  for (let i = 0; (state()?.status ?? 0) === 0 && !state()?.ended; i++) if (i > MAX_STEPS || !sim.step()) break
  return {
    id,
    status: () => state()?.status ?? 0,
    headers: () => state()?.headers ?? {},
    chunks: () => sim.peek<ReturnType<DoorStream['chunks']>[number]>(DOOR, `stream/${id}`).values(),
    ended: () => state()?.ended ?? true,
    close: () => sim.input({ target: DOOR, kind: 'door.close', payload: id }),
  }
}

/** Moves the virtual clock. */
export function advance(sim: Simulation, ms: number): void {
  const until = sim.now + ms
  // Nothing else may be due then: a timer carries the clock there.
  sim.input({ target: DOOR, kind: 'door.wait', payload: ms })
  sim.runToTime(until)
}

export interface ApiClusterOptions extends HistoryOptions {
  readonly profile: 'api'
  readonly seed: number
  /** Further component types and processes (controllers), started once the API server has made its own objects. */
  readonly types?: readonly ComponentType[]
  readonly processes?: readonly { id: string; type: string; host: string; config: unknown }[]
  readonly apiserver?: Partial<KubeApiserverConfig>
  /** With the controllers that the profile names. */
  readonly controllers?: boolean
}

const CA =
  '-----BEGIN CERTIFICATE-----\nT3JyZXJ5IGRvZXMgbm90IGVuY3J5cHQ6IG1lc3NhZ2VzIG9mIHRoZSBzaW11bGF0aW9uIG5lZWQgbm8gc2VjcmV0cy4=\n-----END CERTIFICATE-----\n'

const SETTLED_MS = 11 * 60_000

export const CONTROL_PLANE = { name: 'control-plane', ip: '172.18.0.2' }

export function createApiCluster(options: ApiClusterOptions): Simulation {
  const { keyframeInterval, journalLimit } = options
  const history = {
    ...(keyframeInterval === undefined ? {} : { keyframeInterval }),
    ...(journalLimit === undefined ? {} : { journalLimit }),
  }
  const sim = new Simulation({
    ...history,
    seed: options.seed,
    types: [etcdType, kubeApiserverType, kubeControllerManagerType, doorType, ...(options.types ?? [])],
    scenario: `profile ${options.profile}`,
  })
  sim.network.addHost({ ...CONTROL_PLANE, role: 'control-plane', up: true })
  sim.network.addHost({ name: 'you', ip: '172.18.0.1', role: 'visitor', up: true })
  const etcd: EtcdConfig = { members: ['etcd/control-plane'], fsyncMs: 1 }
  const apiserver: KubeApiserverConfig = {
    etcd: etcd.members,
    advertiseAddress: CONTROL_PLANE.ip,
    serviceCIDR: '10.96.0.0/12',
    nodePortRange: '30000-32767',
    tokens: STATIC_TOKENS,
    enabledAdmission: ['NodeRestriction'],
    ...options.apiserver,
  }
  sim.boot({ id: 'etcd/control-plane', type: 'etcd', host: CONTROL_PLANE.name, config: etcd })
  sim.boot({ id: 'kube-apiserver/control-plane', type: 'kube-apiserver', host: CONTROL_PLANE.name, config: apiserver })
  sim.boot({ id: DOOR, type: 'door', host: 'you', config: null })
  const ready = (): boolean => sim.peek<{ done: boolean }>('kube-apiserver/control-plane', 'bootstrap').get('progress')?.done === true
  if (!sim.runUntil({ kind: 'predicate', holds: ready })) throw new Error('the API server did not come up')
  for (const process of options.processes ?? []) sim.boot(process)
  if (options.controllers) {
    const config: KubeControllerManagerConfig = {
      servers: ['kube-apiserver/control-plane'],
      profile: 'api',
      leaderElect: false,
      allocateNodeCIDRs: false,
      clusterCIDR: '10.244.0.0/16',
      rootCA: CA,
    }
    sim.boot({ id: 'kube-controller-manager/control-plane', type: 'kube-controller-manager', host: CONTROL_PLANE.name, config })
  }
  sim.runUntil({ kind: 'quiet' })
  // As old as the recorded cluster at least: etcd has been compacted once.
  if (options.controllers) sim.runToTime(SETTLED_MS)
  sim.baseline()
  return sim
}
