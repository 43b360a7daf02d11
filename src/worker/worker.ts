// Entry of the simulation's worker. A worker does not inherit the page's content security policy from a meta element,
// so everything that could reach the outside is taken away before any input is read.
import { createHost } from './host.ts'

for (const name of [
  'fetch',
  'XMLHttpRequest',
  'WebSocket',
  'EventSource',
  'importScripts',
  'indexedDB',
  'caches',
  'WebTransport',
  'BroadcastChannel',
])
  Object.defineProperty(globalThis, name, { value: undefined, configurable: false, writable: false })

createHost(globalThis as unknown as Parameters<typeof createHost>[0])
