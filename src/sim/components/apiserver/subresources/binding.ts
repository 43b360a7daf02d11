// POST pods/NAME/binding: pkg/registry/core/pod/storage/storage.go BindingREST. The scheduler's word: the pod goes to this node.
import { aggregateText } from '../../../api/field-error-text.ts'
import { type FieldError, notSupported, required } from '../../../api/field.ts'
import { badRequest, conflict, notFound, unknownError } from '../../../api/status.ts'
import type { PodCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { mutate, validate } from '../admission/chain.ts'
import { revisionOf } from '../cache/cache.ts'
import { refuse } from '../refusal.ts'
import { decodeKind } from '../rest/body.ts'
import { attributesOf } from '../rest/create.ts'
import { ensureNamespace } from '../rest/meta.ts'
import { writeOptions } from '../rest/options.ts'
import type { ResourceRq } from '../rest/request.ts'
import { keyFor, updateTxn } from '../rest/store.ts'
import { checkUid } from '../rest/update.ts'
import type { Plan } from '../types.ts'

const BINDING = { group: '', version: 'v1', kind: 'Binding' }
export const created = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as const

/** `fromURL`: the pod's name in the path; absent for the bindings collection. */
export function planBinding(rq: ResourceRq, fromURL: string | undefined): Plan {
  const options = writeOptions(rq, 'CreateOptions')
  const binding = decodeKind(rq, BINDING, options)
  ensureNamespace(rq, binding.metadata)
  const podName = fromURL ?? binding.metadata.name ?? ''
  const a = { ...attributesOf(rq, 'CREATE', podName, binding, undefined, options.dryRun), subresource: 'binding', kind: 'Binding' }
  mutate(a)
  if (podName !== (binding.metadata.name ?? '')) refuse(badRequest('name in URL does not match name in Binding object'))
  const errors = bindingErrors(binding)
  if (errors.length > 0) refuse(unknownError(aggregateText(errors)))
  validate(a)
  const { namespace } = rq.info
  const pod = rq.view.current(rq.served, namespace, podName)
  if (!pod) return refuse(notFound({ group: '', name: 'pods' }, podName))
  const key = keyFor(rq.served, namespace, podName)
  checkUid({ ...rq, info: { ...rq.info, name: podName } }, key, binding.metadata.uid || undefined, pod)
  const problem = assignProblem(pod)
  if (problem) refuse(conflict({ group: '', name: 'pods/binding' }, podName, problem))
  const answer = { code: 201, raw: created }
  if (options.dryRun) return { do: 'answer', answer }
  const bound = assigned(pod, binding, rq.now)
  return { do: 'commit', txn: updateTxn(key, bound, revisionOf(pod)), then: { do: 'answer', answer }, stores: `update ${key}` }
}

function bindingErrors({ target }: KubeObject): FieldError[] {
  const errors: FieldError[] = []
  const kind = target?.kind ?? ''
  if (kind !== '' && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']))
  if (!target?.name) errors.push(required('target.name', ''))
  return errors
}

function assignProblem(pod: KubeObject): string | undefined {
  const { name } = pod.metadata
  if (pod.metadata.deletionTimestamp) return `pod ${name} is being deleted, cannot be assigned to a host`
  if (pod.spec.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`
  if ((pod.spec.schedulingGates ?? []).length > 0) return `pod ${name} has non-empty .spec.schedulingGates`
  return undefined
}

function assigned(pod: KubeObject, binding: KubeObject, now: string): KubeObject {
  const { annotations, labels } = binding.metadata
  // ClearingNominatedNodeNameAfterBinding: the hint has served its purpose.
  const { nominatedNodeName: _, ...status } = pod.status ?? {}
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {}),
      ...(labels ? { labels: { ...pod.metadata.labels, ...labels } } : {}),
    },
    spec: { ...pod.spec, nodeName: binding.target.name },
    status: { ...status, conditions: withCondition(pod.status?.conditions, { type: 'PodScheduled', status: 'True' }, now) },
  }
}

type Wanted = Pick<PodCondition, 'type' | 'status'> & { readonly reason?: string; readonly message?: string }

/** podutil.UpdatePodCondition: in its place, with the old transition time if the status stays. */
export function withCondition(conditions: readonly PodCondition[] | undefined, wanted: Wanted, now: string): PodCondition[] {
  const list = conditions ?? []
  const old = list.find((c) => c.type === wanted.type)
  const next = {
    type: wanted.type,
    status: wanted.status,
    lastProbeTime: null as unknown as string,
    lastTransitionTime: old?.status === wanted.status ? (old.lastTransitionTime as string) : now,
    ...(wanted.reason ? { reason: wanted.reason } : {}),
    ...(wanted.message ? { message: wanted.message } : {}),
  }
  return old ? list.map((c) => (c === old ? next : c)) : [...list, next]
}
