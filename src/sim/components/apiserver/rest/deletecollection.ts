// DELETE of a collection: handlers/delete.go DeleteCollection, store.go DeleteCollection. Objects go one after the other.
import { Refusal } from '../refusal.ts'
import type { Answer, Plan, Then } from '../types.ts'
import { deleteOne, deleteOptions } from './delete.ts'
import { type ObjectList, readList } from './list.ts'
import { listOptions } from './list-options.ts'
import type { ResourceRq } from './request.ts'

interface Progress {
  readonly list: ObjectList
  /** The next item. */
  readonly at: number
}

export function planDeleteCollection(rq: ResourceRq): Plan {
  const options = deleteOptions(rq)
  const progress = (rq.phaseData as Progress | undefined) ?? { list: readList(rq, { ...listOptions(rq), watch: false }), at: 0 }
  const { list } = progress
  for (let { at } = progress; at < list.items.length; at++) {
    const item = list.items[at]
    if (!item) continue
    const next = (): Extract<Then, { do: 'answer' | 'plan' }> => ({
      do: 'plan',
      phase: 'collection',
      data: { list, at: at + 1 } satisfies Progress,
    })
    const one: ResourceRq = {
      ...rq,
      phaseData: { list, at },
      info: { ...rq.info, name: item.metadata.name ?? '', namespace: item.metadata.namespace ?? '' },
      phase: rq.phase === 'delete/marked' && at === progress.at ? rq.phase : undefined,
    }
    try {
      const plan = deleteOne(one, item.metadata.name ?? '', options, next)
      if (plan.do !== 'continue') return plan
    } catch (thrown) {
      // Whoever deleted it first did our work.
      if (!(thrown instanceof Refusal) || thrown.status.code !== 404) throw thrown
    }
  }
  const answer: Answer = { code: 200, list }
  return { do: 'answer', answer }
}
