// What a controller asked for and has not yet seen in its cache (pkg/controller/controller_utils.go: ControllerExpectations,
// UIDTrackingControllerExpectations). Until it has seen it, or five minutes passed, it must not decide again.
import type { Context } from '../net/context.ts'
import type { Table } from '../engine/types.ts'

export const EXPECTATIONS_TIMEOUT_MS = 300_000

interface Expected {
  readonly adds: number
  readonly deletes: number
  /** Keys of objects whose deletion is awaited, where single ones are tracked. */
  readonly deleting: readonly string[]
  readonly at: number
}

export interface Expectations {
  /** Nothing awaited, awaited too long, or never set. */
  satisfied(ctx: Context, key: string): boolean
  expectCreations(ctx: Context, key: string, adds: number): void
  /** Tracks single objects: the same deletion seen twice counts once. */
  expectDeletions(ctx: Context, key: string, objects: readonly string[]): void
  expect(ctx: Context, key: string, adds: number, deletes: number): void
  creationObserved(ctx: Context, key: string): void
  deletionObserved(ctx: Context, key: string, object?: string): void
  forget(ctx: Context, key: string): void
  pending(ctx: Context, key: string): { adds: number; deletes: number } | undefined
}

export function expectations(name: string): Expectations {
  const table = (ctx: Context): Table<Expected> => ctx.table(`expectations/${name}`)
  const lower = (ctx: Context, key: string, change: (e: Expected) => Expected): void => {
    const e = table(ctx).get(key)
    if (e) table(ctx).put(key, change(e))
  }
  return {
    satisfied(ctx, key) {
      const e = table(ctx).get(key)
      return !e || (e.adds <= 0 && e.deletes <= 0) || ctx.now - e.at > EXPECTATIONS_TIMEOUT_MS
    },
    expectCreations: (ctx, key, adds) => table(ctx).put(key, { adds, deletes: 0, deleting: [], at: ctx.now }),
    expectDeletions: (ctx, key, objects) => table(ctx).put(key, { adds: 0, deletes: objects.length, deleting: [...objects], at: ctx.now }),
    expect: (ctx, key, adds, deletes) => table(ctx).put(key, { adds, deletes, deleting: [], at: ctx.now }),
    creationObserved: (ctx, key) => lower(ctx, key, (e) => ({ ...e, adds: e.adds - 1 })),
    deletionObserved: (ctx, key, object) =>
      lower(ctx, key, (e) => {
        if (object === undefined) return { ...e, deletes: e.deletes - 1 }
        if (!e.deleting.includes(object)) return e
        return { ...e, deletes: e.deletes - 1, deleting: e.deleting.filter((o) => o !== object) }
      }),
    forget: (ctx, key) => table(ctx).delete(key),
    pending(ctx, key) {
      const e = table(ctx).get(key)
      return e ? { adds: e.adds, deletes: e.deletes } : undefined
    },
  }
}
