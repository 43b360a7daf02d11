// Runs a reconcile without a simulation: answers come from a function, effects act on a plain runtime made of objects.
import type { KubeObject } from '../../../api/types/object.ts'
import { INDEXERS } from '../runtime/indexes.ts'
import { keyOf } from '../runtime/objects.ts'
import { resourceOfKind } from '../runtime/resources.ts'
import { SyncError } from '../runtime/steps.ts'
import type { ApiAnswer, ApiCall, Controller, Env, KubeControllerManagerConfig, Outcome, Runtime, Step } from '../runtime/types.ts'

export const CONFIG: KubeControllerManagerConfig = {
  servers: ['api'],
  profile: 'cluster',
  leaderElect: false,
  allocateNodeCIDRs: true,
  clusterCIDR: '10.244.0.0/16',
  rootCA: 'PEM',
}

/** What the n-th request carried. */
export const sent = (calls: readonly ApiCall[], n: number): KubeObject => {
  const body = calls.at(n)?.body
  if (typeof body !== 'object') throw new Error(`request ${n} carried no object`)
  return body as KubeObject
}

export interface Run {
  /** `POST pods`, `PUT replicasets/web/status`: method and path below the namespace. */
  readonly requests: string[]
  readonly calls: ApiCall[]
  readonly events: string[]
  readonly decisions: string[]
  readonly outcome?: Outcome | undefined
  readonly error?: string
}

export const ok = (body: object, status = 200): ApiAnswer => ({ ok: true, status, body, reason: '', message: '' })
export const no = (status: number, reason: string, message: string): ApiAnswer => ({
  ok: false,
  status,
  reason,
  message,
  body: { reason, message },
})
/** Accepts everything: what was sent comes back, with a name if it had only a prefix. */
export const echo = (call: ApiCall): ApiAnswer => {
  const body = (call.body ?? {}) as KubeObject
  const metadata = body.metadata ?? {}
  return ok(
    { ...body, metadata: { ...metadata, name: metadata.name ?? `${metadata.generateName ?? ''}x`, uid: metadata.uid ?? 'uid-new' } },
    call.method === 'POST' ? 201 : 200,
  )
}

export function plainRuntime(objects: readonly KubeObject[], now: number, run: Run, random = () => 0.5): Runtime {
  const stores = new Map<string, KubeObject[]>()
  for (const o of objects) {
    const name = resourceOfKind(o.apiVersion, o.kind)?.name ?? o.kind
    stores.set(name, [...(stores.get(name) ?? []), o])
  }
  const memory = new Map<string, unknown>()
  const list = (informer: string, namespace?: string): KubeObject[] =>
    (stores.get(informer) ?? []).filter((o) => namespace === undefined || o.metadata.namespace === namespace)
  const nothing = (): void => {}
  return {
    now,
    config: CONFIG,
    random,
    list,
    get: (informer, key) => list(informer).find((o) => keyOf(o) === key),
    index: (informer, index, value) => list(informer).filter((o) => INDEXERS[informer]?.[index]?.(o).includes(value)),
    memory: (name) => {
      const at = (k: string) => `${name}/${k}`
      return {
        name,
        size: 0,
        get: (k: string) => memory.get(at(k)),
        has: (k: string) => memory.has(at(k)),
        put: (k: string, v: unknown) => void memory.set(at(k), v),
        delete: (k: string) => void memory.delete(at(k)),
        keys: () =>
          [...memory.keys()]
            .filter((k) => k.startsWith(`${name}/`))
            .map((k) => k.slice(name.length + 1))
            .sort(),
        values: () => [],
        entries: () => [],
        keysWithPrefix: () => [],
        clear: nothing,
      } as never
    },
    expectations: {
      satisfied: () => true,
      expectCreations: nothing,
      expectDeletions: nothing,
      expect: nothing,
      creationObserved: nothing,
      deletionObserved: nothing,
      forget: nothing,
      pending: () => undefined,
    },
    expectationsSatisfied: () => true,
    add: nothing,
    addAfter: nothing,
    addRateLimited: nothing,
    retries: () => 0,
    forget: nothing,
    event: (e) => void run.events.push(`${e.type} ${e.reason} ${e.message}`),
    decided: (what, facts) => void run.decisions.push(`${what} ${JSON.stringify(facts)}`),
    foreground: nothing,
    watch: nothing,
    unwatch: nothing,
    context: { now } as never,
  }
}

export function run<O>(
  controller: Controller<O>,
  key: string,
  objects: readonly KubeObject[],
  options: { now?: number; answer?: (call: ApiCall) => ApiAnswer } = {},
): Run {
  const { now = 1_000_000, answer = echo } = options
  const result: {
    requests: string[]
    calls: ApiCall[]
    events: string[]
    decisions: string[]
    outcome?: Outcome | undefined
    error?: string
  } = { requests: [], calls: [], events: [], decisions: [] }
  const rt = plainRuntime(objects, now, result)
  const observed = controller.observe(key, rt)
  if (observed === undefined) return result
  const env: Env = { now, random: () => 0.5, config: CONFIG }
  const ask = (call: ApiCall): ApiAnswer => {
    result.calls.push(call)
    const parts = call.path.split('/').filter(Boolean)
    const rest = parts[0] === 'api' ? parts.slice(2) : parts.slice(3)
    result.requests.push(`${call.method} ${(rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest).join('/')}`)
    return answer(call)
  }
  try {
    const steps = controller.reconcile(observed, env)
    let at = steps.next()
    while (!at.done) {
      const step = at.value as Step
      if ('effect' in step) at = steps.next(step.effect(rt))
      else at = steps.next(Array.isArray(step) ? step.map(ask) : ask(step as ApiCall))
    }
    result.outcome = at.value as Outcome | undefined
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    result.error = error.message
  }
  return result
}
