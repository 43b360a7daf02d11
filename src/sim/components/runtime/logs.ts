// Container logs: lines with time and stream, as containerd writes them and as the kubelet reads them (pkg/kubelet/kuberuntime/logs).
import { EPOCH_MS } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { LogOptions } from './cri.ts'
import { containers, count, followers, type LogEntry, logs } from './state.ts'

const lineKey = (container: string, n: number): string => `${container}/${String(n).padStart(9, '0')}`

/** RFC 3339 with nanoseconds. Lines of the same instant differ in their last digits, as they do in life. */
export function stamp(at: number, n: number): string {
  const ms = Math.floor(at)
  const nano = Math.floor((at - ms) * 1e6) + (n % 1000)
  return new Date(EPOCH_MS + ms).toISOString().replace('Z', `${String(nano % 1e6).padStart(6, '0')}Z`)
}

export function appendLog(ctx: Context, container: string, stream: 'stdout' | 'stderr', text: string): void {
  const open = ctx.table<string>('open-lines')
  const openKey = `${container}/${stream}`
  const pieces = ((open.get(openKey) ?? '') + text).split('\n')
  const rest = pieces.pop() as string
  for (const piece of pieces) {
    const n = count(ctx, `log/${container}`)
    logs(ctx).put(lineKey(container, n), { at: ctx.now, stream, text: piece })
  }
  if (rest === '') open.delete(openKey)
  else open.put(openKey, rest)
  if (pieces.length > 0) tellFollowers(ctx, container)
}

/** A line without its newline is written when the container ends. */
export function closeLog(ctx: Context, container: string): void {
  const open = ctx.table<string>('open-lines')
  for (const stream of ['stdout', 'stderr'] as const) {
    const rest = open.get(`${container}/${stream}`)
    if (rest === undefined) continue
    open.delete(`${container}/${stream}`)
    const n = count(ctx, `log/${container}`)
    logs(ctx).put(lineKey(container, n), { at: ctx.now, stream, text: rest, partial: true })
  }
}

const render = (entry: LogEntry, n: number, timestamps: boolean): string =>
  `${timestamps ? `${stamp(entry.at, n)} ` : ''}${entry.text}${entry.partial ? '' : '\n'}`

export function readLog(ctx: Context, container: string, options: LogOptions): { text: string; next: number } {
  const keys = logs(ctx).keysWithPrefix(`${container}/`)
  const all = keys.map((key): [number, LogEntry] => [Number(key.slice(container.length + 1)), logs(ctx).get(key) as LogEntry])
  const next = (all.at(-1)?.[0] ?? 0) + 1
  const tailed = options.tailLines === undefined ? all : options.tailLines === 0 ? [] : all.slice(-options.tailLines)
  const wanted = tailed.filter(
    ([, e]) =>
      (options.since === undefined || e.at >= options.since) &&
      (options.stream === undefined || options.stream === 'All' || e.stream === options.stream.toLowerCase()),
  )
  let text = wanted.map(([n, e]) => render(e, n, options.timestamps)).join('')
  if (options.limitBytes !== undefined && text.length > options.limitBytes) text = text.slice(0, options.limitBytes)
  return { text, next }
}

/** The end of a log for a termination message: at most 80 lines or 2048 bytes. */
export function logTail(ctx: Context, container: string): string {
  const { text } = readLog(ctx, container, { timestamps: false, tailLines: 80 })
  return text.slice(-2048)
}

export function follow(ctx: Context, call: number, container: string, options: LogOptions): void {
  const { text, next } = readLog(ctx, container, options)
  if (text !== '') ctx.push(call, { text }, { flow: 'data', summary: 'log' })
  const running = containers(ctx).get(container)?.state === 'CONTAINER_RUNNING'
  const left = options.limitBytes === undefined ? undefined : options.limitBytes - text.length
  if (!running || (left !== undefined && left <= 0)) ctx.hangUp(call)
  else followers(ctx).put(String(call), { container, call, next, timestamps: options.timestamps, ...(left === undefined ? {} : { left }) })
}

function tellFollowers(ctx: Context, container: string): void {
  for (const f of followers(ctx).values()) {
    if (f.container !== container) continue
    let text = ''
    let { next } = f
    for (let entry = logs(ctx).get(lineKey(container, next)); entry; entry = logs(ctx).get(lineKey(container, next)))
      text += render(entry, next++, f.timestamps)
    if (f.left !== undefined && text.length > f.left) text = text.slice(0, f.left)
    if (text !== '') ctx.push(f.call, { text }, { flow: 'data', summary: 'log' })
    if (f.left !== undefined && f.left <= text.length) {
      ctx.hangUp(f.call)
      followers(ctx).delete(String(f.call))
    } else followers(ctx).put(String(f.call), { ...f, next, ...(f.left === undefined ? {} : { left: f.left - text.length }) })
  }
}

export function endFollowers(ctx: Context, container: string): void {
  tellFollowers(ctx, container)
  for (const f of followers(ctx).values())
    if (f.container === container) {
      ctx.hangUp(f.call)
      followers(ctx).delete(String(f.call))
    }
}

export function removeLog(ctx: Context, container: string): void {
  for (const key of logs(ctx).keysWithPrefix(`${container}/`)) logs(ctx).delete(key)
  ctx.table<number>('counters').delete(`log/${container}`)
}
