// The stages of the request that the API server handled last, read from its trace.
import type { TraceRecord } from '../sim/trace/record.ts'
import type { ComponentElement } from './scene.ts'
import type { World } from './world.ts'

type Part = ComponentElement['parts'][number]

/** Order of the stages, and the records that say how each went. */
const STAGES: readonly { readonly name: string; readonly done: RegExp; readonly failed: RegExp }[] = [
  { name: 'authn', done: /^apiserver\.authn\.succeeded/, failed: /^apiserver\.authn\.failed/ },
  { name: 'authz', done: /^apiserver\.authz\.allowed/, failed: /^apiserver\.authz\.denied/ },
  { name: 'admit', done: /^apiserver\.admission\.mutated/, failed: /^apiserver\.admission\.denied/ },
  { name: 'validate', done: /^$/, failed: /^apiserver\.validation\.failed/ },
  { name: 'etcd txn', done: /^apiserver\.stored/, failed: /^$/ },
]

/** Looks back at most this many records for the newest request. */
const WINDOW = 600

export interface RequestView {
  readonly id: string
  readonly records: readonly TraceRecord[]
}

/** The newest request that is not background chatter, with all its records so far. */
export function currentRequest(world: World, process: string): RequestView | undefined {
  const { records } = world
  for (let i = records.length - 1; i >= Math.max(0, records.length - WINDOW); i--) {
    const record = records[i] as TraceRecord
    if (record.actor !== process || record.background || !record.kind.startsWith('apiserver.')) continue
    const id = (record.data as { request?: string }).request
    if (id === undefined) continue
    return {
      id,
      records: records
        .slice(Math.max(0, i - WINDOW), records.length)
        .filter((r) => r.actor === process && (r.data as { request?: string }).request === id),
    }
  }
  return undefined
}

export function pipelineParts(world: World, process: string): Part[] {
  const request = currentRequest(world, process)
  if (!request) return STAGES.map(({ name }) => ({ name, state: 'idle' as const }))
  const kinds = request.records.map((r) => r.kind as string)
  const received = request.records.find((r) => r.kind === 'apiserver.request.received')
  const write = received
    ? ['create', 'update', 'patch', 'delete', 'deletecollection'].includes((received.data as { verb: string }).verb)
    : true
  const responded = kinds.includes('apiserver.responded')
  const stored = kinds.includes('apiserver.stored')
  const states = STAGES.map(({ done, failed }): Part['state'] =>
    kinds.some((k) => failed.test(k)) ? 'failed' : kinds.some((k) => done.test(k)) ? 'done' : 'idle',
  )
  // What was stored has passed every stage before it; the first idle stage of an open write is at work.
  return STAGES.map(({ name }, i) => {
    let state = states[i] as Part['state']
    if (state === 'idle' && stored) state = 'done'
    else if (state === 'idle' && !responded && write && states.slice(0, i).every((s) => s === 'done')) state = 'busy'
    return { name, state }
  })
}
