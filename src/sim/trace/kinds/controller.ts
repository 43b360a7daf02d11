import type { TraceLevel } from '../record.ts'

/** The actor is the kube-controller-manager; `controller` names the one of its controllers (its queue). */
export interface ControllerTrace {
  /** The caches that it reads are complete: work begins. */
  'controller.started': { controller: string; informers: readonly string[] }
  'controller.queue.added': { controller: string; key: string; by: string }
  /** Begins a span that ends with the next `finished` of the same controller and key. */
  'controller.reconcile.started': { controller: string; key: string; waitedMs: number }
  'controller.decided': { controller: string; key: string; what: string; facts: Readonly<Record<string, string | number | boolean>> }
  'controller.reconcile.finished': {
    controller: string
    key: string
    outcome: 'done' | 'requeued' | 'failed' | 'dropped'
    requests: number
    afterMs?: number
    error?: string
  }
}

export const controllerLevels: Record<keyof ControllerTrace, TraceLevel> = {
  'controller.started': 'detail',
  'controller.queue.added': 'detail',
  'controller.reconcile.started': 'detail',
  'controller.decided': 'story',
  'controller.reconcile.finished': 'detail',
}
