// POST pods/NAME/eviction: pkg/registry/core/pod/storage/eviction.go. Deletes a pod unless its disruption budget forbids it.
import type { HttpResponse } from '../../../api/http.ts'
import { selectorMatches } from '../../../api/labels.ts'
import { badRequest, conflict, failure, forbidden, invalid, notFound, type Status, tooManyRequests } from '../../../api/status.ts'
import type { DeleteOptions } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { validateDeleteOptions } from '../../../api/validation/options.ts'
import { mutate, validate } from '../admission/chain.ts'
import { revisionOf } from '../cache/cache.ts'
import { Refusal, refuse } from '../refusal.ts'
import { type Eviction, evictionProblem } from '../registry/policy/eviction.ts'
import { decodeKind } from '../rest/body.ts'
import { attributesOf } from '../rest/create.ts'
import { deleteOne } from '../rest/delete.ts'
import { ensureNamespace } from '../rest/meta.ts'
import { writeOptions } from '../rest/options.ts'
import type { ResourceRq } from '../rest/request.ts'
import { keyFor, updateTxn } from '../rest/store.ts'
import type { Answer, Plan } from '../types.ts'
import { created, withCondition } from './binding.ts'

const KIND = { group: 'policy', version: 'v1', kind: 'Eviction' }
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
/** Upstream retries a budget that changed under it this often. */
const BUDGET_ATTEMPTS = 20

interface Checked {
  readonly options: DeleteOptions
}

export function planEviction(rq: ResourceRq): Plan {
  const done = (answer: Answer) => ({ do: 'answer', answer: answer.code >= 400 ? answer : { code: 201, raw: created } }) as const
  if (rq.phase !== undefined)
    return deleteOne(rq.phase === 'evicting' ? { ...rq, phase: undefined } : rq, rq.info.name, (rq.phaseData as Checked).options, done)
  const write = writeOptions(rq, 'CreateOptions')
  const eviction = decodeKind(rq, evictionKind(rq), write) as Eviction
  ensureNamespace(rq, eviction.metadata)
  const { name, namespace } = rq.info
  const a = { ...attributesOf(rq, 'CREATE', name, eviction, undefined, write.dryRun), subresource: 'eviction', kind: 'Eviction' }
  mutate(a)
  const problem = evictionProblem(eviction, name)
  if (problem) refuse(badRequest(problem))
  const asked = eviction.deleteOptions ?? {}
  const errors = validateDeleteOptions(asked)
  if (errors.length > 0) refuse(invalid({ group: 'meta.k8s.io', name: 'DeleteOptions' }, '', errors))
  const dryRun = write.dryRun || (asked.dryRun?.length ?? 0) > 0
  const options: DeleteOptions = { ...asked, ...(dryRun ? { dryRun: ['All'] } : {}) }
  validate(a)
  const pod = rq.view.current(rq.served, namespace, name)
  if (!pod) return refuse(notFound({ group: '', name: 'pods' }, name))
  if (!ignoresBudgets(pod)) {
    const refused = checkBudgets(rq, pod, dryRun)
    if (refused) return { do: 'answer', answer: { code: refused.code, raw: refused } }
  }
  if (dryRun) return deleteOne(rq, name, options, done)
  checkPreconditions(options, pod)
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }
  const marked = { ...pod, status: { ...pod.status, conditions: withCondition(pod.status?.conditions, condition, rq.now) } }
  const key = keyFor(rq.served, namespace, name)
  const { resourceVersion: _, ...preconditions } = options.preconditions ?? {}
  const next: Checked = { options: options.preconditions ? { ...options, preconditions } : options }
  return {
    do: 'commit',
    txn: updateTxn(key, marked, revisionOf(pod)),
    then: { do: 'plan', phase: 'evicting', data: next, object: marked },
    stores: `update ${key}`,
  }
}

const evictionKind = (rq: ResourceRq): typeof KIND => {
  const { body } = rq.request
  const old =
    typeof body === 'string'
      ? /"?apiVersion"?\s*:\s*"?policy\/v1beta1/.test(body)
      : (body as KubeObject | undefined)?.apiVersion === 'policy/v1beta1'
  return old ? { ...KIND, version: 'v1beta1' } : KIND
}

function checkPreconditions({ preconditions }: DeleteOptions, pod: KubeObject): void {
  const { name = '', uid, resourceVersion } = pod.metadata
  const kind = { group: '', name: 'Pod' }
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    refuse(
      conflict(
        kind,
        name,
        `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      ),
    )
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    refuse(
      conflict(
        kind,
        name,
        `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
      ),
    )
  }
}

/** canIgnorePDB: pods that never ran, have ended or are leaving anyway. */
const ignoresBudgets = (pod: KubeObject): boolean =>
  ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase) || pod.metadata.deletionTimestamp !== undefined

const isReady = (pod: KubeObject): boolean =>
  (pod.status?.conditions ?? []).some((c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True')

/** Asks the pod's budget for one disruption and takes it. A Status instead of a go-ahead is the answer. */
function checkBudgets(rq: ResourceRq, pod: KubeObject, dryRun: boolean): Status | undefined {
  const root = `/apis/policy/v1/namespaces/${rq.info.namespace}/poddisruptionbudgets`
  const list = rq.need<HttpResponse>('budgets', { kind: 'lookup', method: 'GET', path: root })
  const labels = (pod.metadata.labels ?? {}) as Record<string, string>
  const items = ((list.body as { items?: KubeObject[] } | undefined)?.items ?? []).filter(
    (b) => b.spec?.selector && selectorMatches(b.spec.selector, labels),
  )
  if (items.length > 1)
    return { ...failure(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.') }
  let budget = items[0]
  if (!budget) return undefined
  if (!isReady(pod)) {
    const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {}
    if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (currentHealthy >= desiredHealthy && desiredHealthy > 0))
      return undefined
  }
  const name = budget.metadata.name ?? ''
  for (let i = 0; i < BUDGET_ATTEMPTS; i++) {
    const next = decremented(budget, pod.metadata.name ?? '', rq.now)
    if (dryRun) return undefined
    const path = `${root}/${name}/status`
    const answer: HttpResponse = rq.need<HttpResponse>(`budget/${i}`, {
      kind: 'lookup',
      method: 'PUT',
      path,
      body: { ...next, apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
    })
    if (answer.status < 300) return undefined
    if (answer.status !== 409) throw new Refusal(answer.body as Status)
    budget = rq.need<HttpResponse>(`budget/${i}/again`, { kind: 'lookup', method: 'GET', path: `${root}/${name}` }).body as KubeObject
  }
  throw new Refusal(
    failure(504, 'Timeout', `Timeout: couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`, {
      retryAfterSeconds: 10,
    }),
  )
}

const blocked = (message: string): Status => {
  const status = tooManyRequests(VIOLATES, 0)
  return { ...status, details: { ...status.details, causes: [{ reason: 'DisruptionBudget', message }] } }
}

/** checkAndDecrement. */
function decremented(budget: KubeObject, podName: string, now: string): KubeObject {
  const { metadata, status = {} } = budget
  const kind = { group: 'policy', name: 'poddisruptionbudget' }
  const name = metadata.name ?? ''
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    refuse(blocked(`The disruption budget ${name} is still being processed by the server.`))
  const allowed: number = status.disruptionsAllowed ?? 0
  if (allowed < 0) refuse(forbidden(kind, name, 'pdb disruptions allowed is negative'))
  if (Object.keys(status.disruptedPods ?? {}).length > 2000)
    refuse(forbidden(kind, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'))
  if (allowed === 0) {
    refuse(
      blocked(
        `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
      ),
    )
  }
  const conditions = (status.conditions ?? []) as { type: string; status: string; reason?: string; lastTransitionTime?: string }[]
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...status.disruptedPods, [podName]: now },
      ...(allowed === 1
        ? {
            conditions: conditions.map((c) =>
              c.type === 'DisruptionAllowed'
                ? {
                    ...c,
                    status: 'False',
                    reason: 'InsufficientPods',
                    observedGeneration: status.observedGeneration,
                    lastTransitionTime: c.status === 'False' ? c.lastTransitionTime : now,
                  }
                : c,
            ),
          }
        : {}),
    },
  }
}
