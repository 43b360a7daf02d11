// Exponential back-off by key (client-go/util/flowcontrol/backoff.go).
import type { Context } from '../../net/context.ts'
import type { Table } from '../../engine/types.ts'
import {
  config,
  CRASH_BACKOFF_INITIAL_MS,
  CRASH_BACKOFF_MAX_MS,
  CRASH_BACKOFF_RESET_MS,
  IMAGE_BACKOFF_INITIAL_MS,
  IMAGE_BACKOFF_MAX_MS,
} from './config.ts'
import type { Backoff } from './types.ts'

export interface BackoffKind {
  readonly table: string
  readonly initialMs: number
  maxMs(ctx: Context): number
  resetMs(ctx: Context): number
}

export const crashBackoff: BackoffKind = {
  table: 'backoff-crash',
  initialMs: CRASH_BACKOFF_INITIAL_MS,
  maxMs: (ctx) => config(ctx).maxContainerRestartMs ?? CRASH_BACKOFF_MAX_MS,
  resetMs: () => CRASH_BACKOFF_RESET_MS,
}

export const imageBackoff: BackoffKind = {
  table: 'backoff-image',
  initialMs: IMAGE_BACKOFF_INITIAL_MS,
  maxMs: () => IMAGE_BACKOFF_MAX_MS,
  resetMs: () => 2 * IMAGE_BACKOFF_MAX_MS,
}

const entries = (ctx: Context, kind: BackoffKind): Table<Backoff> => ctx.table(kind.table)

const expired = (ctx: Context, kind: BackoffKind, at: number, entry: Backoff): boolean => at - entry.lastUpdate > kind.resetMs(ctx)

export const getBackoff = (ctx: Context, kind: BackoffKind, key: string): Backoff | undefined => entries(ctx, kind).get(key)

export function nextBackoff(ctx: Context, kind: BackoffKind, key: string, at: number, error?: string): Backoff {
  const old = entries(ctx, kind).get(key)
  const max = kind.maxMs(ctx)
  const delayMs = !old || expired(ctx, kind, at, old) ? Math.min(kind.initialMs, max) : Math.min(old.delayMs * 2, max)
  const entry: Backoff = { delayMs, lastUpdate: ctx.now, ...(error === undefined ? {} : { error }) }
  entries(ctx, kind).put(key, entry)
  return entry
}

/** Counted from an event, such as the end of a container. */
export function inBackoffSince(ctx: Context, kind: BackoffKind, key: string, at: number): boolean {
  const entry = entries(ctx, kind).get(key)
  return entry !== undefined && !expired(ctx, kind, at, entry) && ctx.now - at < Math.min(entry.delayMs, kind.maxMs(ctx))
}

/** Counted from the last failure. */
export function inBackoffSinceUpdate(ctx: Context, kind: BackoffKind, key: string): boolean {
  const entry = entries(ctx, kind).get(key)
  return entry !== undefined && !expired(ctx, kind, ctx.now, entry) && ctx.now - entry.lastUpdate < Math.min(entry.delayMs, kind.maxMs(ctx))
}

/** `10s`, `1m20s`, `5m0s`: Go's time.Duration. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${trim(ms)}ms`
  const total = ms / 1000
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  const seconds = total - hours * 3600 - minutes * 60
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${trim(seconds)}s`
}

const trim = (n: number): string => String(Math.round(n * 1e6) / 1e6)
