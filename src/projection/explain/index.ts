// One sentence for every trace record: who did what to what, because of which observed state, with a link to the concept.
// The table below must answer for every kind, or this file does not compile.
import type { TraceData, TraceKind } from '../../sim/trace/kinds.ts'
import type { TraceRecord } from '../../sim/trace/record.ts'
import { actorName, elementOf } from '../names.ts'
import type { Caption } from '../scene.ts'
import type { World } from '../world.ts'
import { apiserverSentences } from './apiserver.ts'
import { type Concept, CONCEPTS } from './concepts.ts'
import { controllerSentences } from './controllers.ts'
import { etcdSentences } from './etcd.ts'
import { networkSentences } from './network.ts'
import { nodeSentences } from './node.ts'
import { schedulerSentences } from './scheduler.ts'

export interface Sentence {
  readonly title: string
  readonly because?: string
  readonly concept: keyof typeof CONCEPTS
  /** Where in the picture it happens, if not at the actor. */
  readonly at?: string
}

export interface Teller {
  /** Actor's name for the start of a sentence. */
  readonly who: string
  readonly world: World
}

export type Sentences = { readonly [K in TraceKind]: (record: TraceRecord<K>, teller: Teller) => Sentence }
export type SentencesOf<T> = { readonly [K in keyof T & TraceKind]: (record: TraceRecord<K>, teller: Teller) => Sentence }

const SENTENCES: Sentences = {
  ...networkSentences,
  ...etcdSentences,
  ...apiserverSentences,
  ...controllerSentences,
  ...schedulerSentences,
  ...nodeSentences,
}

export function explain(record: TraceRecord, world: World): Caption {
  const who = actorName(record.actor)
  const tell = SENTENCES[record.kind] as (r: TraceRecord, t: Teller) => Sentence
  const { title, because = '', concept, at } = tell(record, { who, world })
  const { label, url }: Concept = CONCEPTS[concept]
  return {
    record: record.seq,
    at: record.at - world.startedAt,
    actor: who,
    actorElement: at ?? elementOf(record.actor),
    kind: record.kind,
    title: capital(title),
    because,
    ...(record.subject ? { subject: record.subject } : {}),
    concept: { label, url },
  }
}

export type { TraceData }

/** Names of programs stay as they are written. */
function capital(title: string): string {
  return /^(kube-|kubectl|etcd|containerd|kubeadm)/.test(title) ? title : title.charAt(0).toUpperCase() + title.slice(1)
}
