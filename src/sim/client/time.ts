// Times as the API writes them. Arguments are virtual ms since the cluster epoch (ctx.now).
import { EPOCH_MS } from '../engine/types.ts'

/** metav1.Time: RFC 3339, UTC, whole seconds. */
export const apiTime = (nowMs: number): string => `${new Date(EPOCH_MS + nowMs).toISOString().slice(0, 19)}Z`

/** metav1.MicroTime: six decimals. */
export const apiMicroTime = (nowMs: number): string => {
  const micros = Math.floor(nowMs * 1000)
  const ms = Math.floor(micros / 1000)
  return `${new Date(EPOCH_MS + ms).toISOString().slice(0, 23)}${String(micros - ms * 1000).padStart(3, '0')}Z`
}

/** Virtual ms since the cluster epoch of a metav1.Time or MicroTime. */
export const parseApiTime = (text: string | undefined): number | undefined => {
  if (!text) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms - EPOCH_MS
}
