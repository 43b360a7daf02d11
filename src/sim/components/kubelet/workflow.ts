// Long work of the kubelet (a pod's sync) as a generator that is run again from its beginning after each answer, with the results so far
// given back in order. The state is the list of results: plain data, so that it can be saved, undone and forked like any other.
// Rule: code between two yields must depend only on the arguments and on results; everything else goes through `once`.
import { type ApiRequest, apiRequest, type ClientConfig } from '../../client/request.ts'
import type { HttpResponse } from '../../api/http.ts'
import type { Context } from '../../net/context.ts'
import type { CallOptions, CallResult } from '../../net/types.ts'
import type { CriMethod, CriMethods, CriReply } from '../runtime/cri.ts'
import { config } from './config.ts'

type Op =
  | { readonly op: 'once'; readonly run: (ctx: Context) => unknown }
  | {
      readonly op: 'call'
      readonly to: string
      readonly kind: string
      readonly payload: unknown
      readonly options: Omit<CallOptions, 'then'>
    }
  | { readonly op: 'api'; readonly client: ClientConfig; readonly request: ApiRequest }
  | { readonly op: 'sleep'; readonly ms: number; readonly periodic: boolean }
  | { readonly op: 'all'; readonly works: readonly { readonly program: string; readonly args: unknown }[] }
  /** Waits until someone calls wake() with this key; answers at once if the check is already true. */
  | { readonly op: 'until'; readonly key: string; readonly ready: (ctx: Context) => boolean; readonly timeoutMs: number }

export type Work<R> = Generator<Op, R, unknown>

/** Runs once and gives back its result, which must be plain data. */
export function* once<T>(run: (ctx: Context) => T): Work<T> {
  return (yield { op: 'once', run }) as T
}

export function* call<T>(to: string, kind: string, payload: unknown, options: Omit<CallOptions, 'then'>): Work<CallResult<T>> {
  return (yield { op: 'call', to, kind, payload, options }) as CallResult<T>
}

export function* api(client: ClientConfig, request: ApiRequest): Work<CallResult<HttpResponse>> {
  return (yield { op: 'api', client, request }) as CallResult<HttpResponse>
}

export function* sleep(ms: number, periodic = false): Work<void> {
  yield { op: 'sleep', ms, periodic }
}

export function* all<T>(works: readonly { program: string; args: unknown }[]): Work<T[]> {
  if (works.length === 0) return []
  return (yield { op: 'all', works }) as T[]
}

export function* until(key: string, ready: (ctx: Context) => boolean, timeoutMs: number): Work<boolean> {
  return (yield { op: 'until', key, ready, timeoutMs }) as boolean
}

/** A CRI call; an unreachable runtime is an error like any other. */
export function* cri<M extends CriMethod>(
  method: M,
  request: CriMethods[M]['request'],
  summary: string,
): Work<CriReply<CriMethods[M]['answer']>> {
  const runtime = yield* once((ctx) => config(ctx).runtime)
  const result = yield* call<CriReply<CriMethods[M]['answer']>>(runtime, `cri.${method}`, request, {
    flow: 'control',
    summary: `${method} ${summary}`.trim(),
  })
  if (result.form === 'response') return result.value
  const why = result.form === 'error' ? result.error : 'connection closed'
  return {
    ok: false,
    error: {
      code: 'Unavailable',
      message: `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: ${why}"`,
    },
  }
}

interface Running {
  readonly id: string
  readonly program: string
  readonly args: unknown
  readonly results: readonly unknown[]
  /** Where the end is reported: a workflow that waits for its children, or a handler. */
  readonly parent?: { readonly id: string; readonly index: number }
  readonly then?: { readonly kind: string; readonly data: unknown }
  readonly waiting?: { readonly key: string }
  readonly children?: { readonly left: number; readonly results: readonly unknown[] }
}

export type Programs = Readonly<Record<string, (args: never) => Work<unknown>>>

export interface Workflows {
  start(ctx: Context, id: string, program: string, args: unknown, then: { kind: string; data: unknown }): void
  running(ctx: Context, id: string): boolean
  cancel(ctx: Context, id: string): void
  /** Something that workflows wait for may have come true. */
  wake(ctx: Context, key: string): void
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never) => void>>
}

const table = (ctx: Context) => ctx.table<Running>('workflows')
const waits = (ctx: Context) => ctx.table<string>('workflow-waits')

export function createWorkflows(
  programs: Programs,
  finished: (ctx: Context, then: { kind: string; data: unknown }, result: unknown) => void,
): Workflows {
  const advance = (ctx: Context, id: string): void => {
    const state = table(ctx).get(id)
    if (!state) return
    const program = programs[state.program]
    if (!program) throw new Error(`unknown workflow ${state.program}`)
    const generator = program(state.args as never)
    const results = [...state.results]
    let step = generator.next()
    for (const result of state.results) step = generator.next(result)
    while (!step.done) {
      const op = step.value
      if (op.op === 'once') {
        const result = op.run(ctx)
        // The run may have cancelled this very work.
        if (!table(ctx).has(id)) return
        results.push(result === undefined ? null : result)
        step = generator.next(results.at(-1))
        continue
      }
      if (op.op === 'until' && op.ready(ctx)) {
        results.push(true)
        step = generator.next(true)
        continue
      }
      const data = { id, at: results.length }
      const { waiting: _, children: __, ...rest } = state
      table(ctx).put(id, {
        ...rest,
        results,
        ...(op.op === 'until' ? { waiting: { key: op.key } } : {}),
        ...(op.op === 'all' ? { children: { left: op.works.length, results: op.works.map(() => null) } } : {}),
      })
      if (op.op === 'call') ctx.call(op.to, op.kind, op.payload, { ...op.options, then: { kind: 'workflow.answer', data } })
      else if (op.op === 'api') apiRequest(ctx, op.client, op.request, { kind: 'workflow.answer', data })
      else if (op.op === 'sleep') ctx.setTimer(`workflow/${id}`, op.ms, 'workflow.time', data, { periodic: op.periodic })
      else if (op.op === 'until') {
        waits(ctx).put(`${op.key} ${id}`, id)
        ctx.setTimer(`workflow/${id}`, op.timeoutMs, 'workflow.timeout', data)
      } else
        op.works.forEach((w, index) => {
          table(ctx).put(`${id}.${index}`, { id: `${id}.${index}`, program: w.program, args: w.args, results: [], parent: { id, index } })
          advance(ctx, `${id}.${index}`)
        })
      return
    }
    table(ctx).delete(id)
    finish(ctx, state, step.value)
  }
  const finish = (ctx: Context, state: Running, result: unknown): void => {
    if (state.then) finished(ctx, state.then, result)
    if (!state.parent) return
    const parent = table(ctx).get(state.parent.id)
    if (!parent?.children) return
    const { index } = state.parent
    const results = parent.children.results.map((r, i) => (i === index ? (result === undefined ? null : result) : r))
    const left = parent.children.left - 1
    const { children: _, ...rest } = parent
    if (left > 0) table(ctx).put(parent.id, { ...rest, children: { left, results } })
    else {
      table(ctx).put(parent.id, { ...rest, results: [...parent.results, results] })
      advance(ctx, parent.id)
    }
  }
  const resume = (ctx: Context, data: { id: string; at: number }, result: unknown): void => {
    const state = table(ctx).get(data.id)
    if (!state || state.results.length !== data.at) return
    if (state.waiting) waits(ctx).delete(`${state.waiting.key} ${state.id}`)
    const { waiting: _, ...rest } = state
    table(ctx).put(data.id, { ...rest, results: [...state.results, result] })
    advance(ctx, data.id)
  }
  const cancel = (ctx: Context, id: string): void => {
    for (const key of [id, ...table(ctx).keysWithPrefix(`${id}.`)]) {
      const state = table(ctx).get(key)
      if (!state) continue
      if (state.waiting) waits(ctx).delete(`${state.waiting.key} ${key}`)
      ctx.cancelTimer(`workflow/${key}`)
      table(ctx).delete(key)
    }
  }
  return {
    start(ctx, id, program, args, then) {
      table(ctx).put(id, { id, program, args, results: [], then })
      advance(ctx, id)
    },
    running: (ctx, id) => table(ctx).has(id),
    cancel,
    wake(ctx, key) {
      for (const k of waits(ctx).keysWithPrefix(`${key} `)) {
        const id = waits(ctx).get(k)
        const state = id === undefined ? undefined : table(ctx).get(id)
        waits(ctx).delete(k)
        if (!state) continue
        ctx.cancelTimer(`workflow/${state.id}`)
        resume(ctx, { id: state.id, at: state.results.length }, true)
      }
    },
    handlers: {
      'workflow.answer': ((ctx: Context, result: CallResult<unknown, { id: string; at: number }>) => {
        if (result.form === 'chunk') return
        const { data, ...rest } = result
        resume(ctx, data, rest)
      }) as never,
      'workflow.time': ((ctx: Context, data: { id: string; at: number }) => resume(ctx, data, null)) as never,
      'workflow.timeout': ((ctx: Context, data: { id: string; at: number }) => resume(ctx, data, false)) as never,
    },
  }
}
