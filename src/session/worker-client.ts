// Talks to the worker that hosts the simulation. Requests are promises; updates go to a listener.
import type { RequestMessage, RequestName, Requests, Update, WorkerMessage } from '../protocol/messages.ts'

/** A worker, or one end of a MessageChannel in tests. */
export interface Port {
  postMessage(message: unknown): void
  onmessage: ((event: MessageEvent) => void) | null
}

/** An error that the simulation reported. `report` is the one line that reproduces a crash. */
export class SimulationError extends Error {
  constructor(
    message: string,
    readonly report?: string,
  ) {
    super(message)
    this.name = 'SimulationError'
  }
}

export interface WorkerClient {
  request<N extends RequestName>(name: N, params: Requests[N]['params']): Promise<Requests[N]['result']>
}

export function createWorkerClient(port: Port, onUpdate: (update: Update) => void): WorkerClient {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let next = 1
  port.onmessage = (event: MessageEvent) => {
    const message = event.data as WorkerMessage
    if (message.type === 'update') {
      onUpdate(message.update)
      return
    }
    const waiter = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.ok) waiter?.resolve(message.result)
    else waiter?.reject(new SimulationError(message.error, message.report))
  }
  return {
    request(name, params) {
      const id = next++
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        port.postMessage({ type: 'request', id, name, params } satisfies RequestMessage)
      })
    },
  }
}
