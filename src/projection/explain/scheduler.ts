import type { SchedulerTrace } from '../../sim/trace/kinds/scheduler.ts'
import { joined, plural, seconds } from '../names.ts'
import type { SentencesOf, Teller } from './index.ts'

const bare = (pod: string): string => pod.split('/').pop() ?? pod

/** Why a node won, from the scores recorded for the same attempt. */
function reasons(pod: string, node: string, { world }: Teller): string {
  for (let i = world.records.length - 1; i >= Math.max(0, world.records.length - 400); i--) {
    const record = world.records[i]
    if (record?.kind !== 'scheduler.scored') continue
    const data = record.data as SchedulerTrace['scheduler.scored']
    if (data.pod !== pod) continue
    const own = data.nodes.find((n) => n.node === node)
    if (!own) return ''
    const best = Object.entries(own.scores)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 3)
      .map(([plugin, score]) => `${plugin} ${score}`)
    const others = data.nodes.filter((n) => n.node !== node).map((n) => `${n.node} ${n.total}`)
    return `${node} has ${own.total} points (${best.join(', ')})${others.length > 0 ? `; ${joined(others)}` : ''}.`
  }
  return ''
}

export const schedulerSentences: SentencesOf<SchedulerTrace> = {
  'scheduler.queue.added': ({ data }) => ({
    title:
      data.queue === 'active'
        ? `kube-scheduler queues pod ${bare(data.pod)}`
        : data.queue === 'backoff'
          ? `kube-scheduler lets pod ${bare(data.pod)} wait ${seconds(data.backoffMs ?? 0)} before the next attempt`
          : `kube-scheduler puts pod ${bare(data.pod)} aside as unschedulable`,
    because: data.gate ? `Scheduling gate ${data.gate} holds it.` : `Event: ${data.event}.`,
    concept: 'scheduler',
  }),
  'scheduler.cycle.started': ({ data }) => ({
    title: `kube-scheduler looks for a node for pod ${bare(data.pod)}`,
    because: `${plural(data.nodes, 'node')} to consider; attempt ${data.attempt}. The pod has no nodeName yet.`,
    concept: 'scheduler',
  }),
  'scheduler.filter.rejected': ({ data }) => ({
    title: `${data.node} is out for pod ${bare(data.pod)}: ${joined(data.reasons)}`,
    because: `Plugin ${data.plugin}${data.unresolvable ? '; evicting other pods would not help' : ''}.`,
    concept: 'framework',
  }),
  'scheduler.filter.summary': ({ data }) => ({
    title: `${plural(data.feasible, 'node')} can take pod ${bare(data.pod)}`,
    because: data.rejected.map((r) => `${r.nodes}: ${r.reason}`).join('; '),
    concept: 'framework',
  }),
  'scheduler.prefilter.rejected': ({ data }) => ({
    title: `Pod ${bare(data.pod)} fits nowhere: ${joined(data.reasons)}`,
    because: `Plugin ${data.plugin} decided before any node was looked at.`,
    concept: 'framework',
  }),
  'scheduler.scored': ({ data }) => ({
    title: `kube-scheduler scores ${plural(data.nodes.length + data.omitted, 'node')} for pod ${bare(data.pod)}`,
    because: data.nodes
      .slice(0, 5)
      .map((n) => `${n.node} ${n.total}`)
      .join(', '),
    concept: 'framework',
  }),
  'scheduler.pod.assumed': ({ data }, teller) => ({
    title: `kube-scheduler chooses ${data.node} for pod ${bare(data.pod)}`,
    because:
      data.feasible === 1
        ? `Of ${plural(data.evaluated, 'node')} only ${data.node} can take it.`
        : reasons(data.pod, data.node, teller) || `${plural(data.feasible, 'node')} can take it.`,
    concept: 'scheduler',
  }),
  'scheduler.volumes.binding': ({ data }) => ({
    title: `kube-scheduler binds volumes for pod ${bare(data.pod)}`,
    because: joined([...data.bindings.map((b) => `${b.claim} to ${b.volume}`), ...data.provisions]),
    concept: 'volumes',
  }),
  'scheduler.bind.requested': ({ data }) => ({
    title: `kube-scheduler writes a Binding: pod ${bare(data.pod)} to ${data.node}`,
    because: 'It never talks to kubelets; the kubelet will learn of the pod from its own watch.',
    concept: 'scheduler',
  }),
  'scheduler.pod.bound': ({ data }) => ({ title: `Pod ${bare(data.pod)} is bound to ${data.node}`, concept: 'scheduler' }),
  'scheduler.bind.failed': ({ data }) => ({
    title: `The Binding of pod ${bare(data.pod)} to ${data.node} fails`,
    because: data.error,
    concept: 'scheduler',
  }),
  'scheduler.pod.unschedulable': ({ data }) => ({
    title: `kube-scheduler finds no node for pod ${bare(data.pod)}`,
    because: data.message,
    concept: 'scheduler',
  }),
  'scheduler.preemption.chosen': ({ data }) => ({
    title: `kube-scheduler makes room on ${data.node} for pod ${bare(data.pod)}`,
    because: `It evicts ${joined(data.victims)}: they have a lower priority.`,
    concept: 'preemption',
  }),
  'scheduler.preemption.victim': ({ data }) => ({
    title: `Pod ${bare(data.victim)} must leave ${data.node} for pod ${bare(data.pod)}`,
    concept: 'preemption',
  }),
}
