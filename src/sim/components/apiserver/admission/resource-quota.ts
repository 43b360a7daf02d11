// ResourceQuota: apiserver/pkg/admission/plugin/resourcequota. Last of all: charges the namespace's quotas, in the same transaction as the object.
import { evaluatorFor, quotaMatches } from '../../../api/quota/evaluators.ts'
import { addLists, exceededNames, listText, maskList, type ResourceList, subtractLists, withoutZeros } from '../../../api/quota/resources.ts'
import { sortedKeys } from '../../../../lib/compare.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const appliesTo = (a: Attributes): boolean => {
  if (a.namespace === '' || (a.group === '' && a.resource === 'namespaces')) return false
  if (a.subresource !== '') return isPod(a) && a.subresource === 'resize' && a.operation === 'UPDATE'
  if (a.operation === 'CREATE') return true
  return a.operation === 'UPDATE' && evaluatorFor(a.group, a.resource).countsUpdates
}

/** The new usage of every quota that the request touches. */
function charged(a: Attributes): { quota: KubeObject; used: ResourceList }[] {
  const object = a.object as KubeObject
  const { nowMs, view } = a.rq
  const evaluator = evaluatorFor(a.group, a.resource)
  const quotas = view.list('resourcequotas', a.namespace).filter((q) => !q.metadata.deletionTimestamp && quotaMatches(q, evaluator, object, nowMs))
  if (quotas.length === 0) return []
  for (const quota of quotas) {
    const hard = (quota.status?.hard ?? {}) as ResourceList
    const restricted = sortedKeys(hard).filter((n) => evaluator.matches(n))
    const problem = evaluator.constraintProblem?.(object, restricted)
    if (problem) deny(a, `failed quota: ${quota.metadata.name}: ${problem}`)
    const used = (quota.status?.used ?? {}) as ResourceList
    const unknown = restricted.filter((n) => !Object.hasOwn(used, n))
    if (unknown.length > 0) deny(a, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}`)
  }
  let delta = evaluator.usage(object, nowMs)
  if (a.operation === 'UPDATE' && a.old) delta = subtractLists(delta, evaluator.usage(a.old, nowMs))
  delta = withoutZeros(delta)
  if (Object.keys(delta).length === 0) return []
  return quotas.map((quota) => {
    const { hard = {}, used = {} } = (quota.status ?? {}) as { hard?: ResourceList; used?: ResourceList }
    const requested = maskList(delta, Object.keys(hard))
    const next = addLists(used, requested)
    const exceeded = exceededNames(maskList(next, Object.keys(requested)), hard)
    if (exceeded.length > 0) {
      const text = (list: ResourceList): string => listText(maskList(list, exceeded))
      deny(a, `exceeded quota: ${quota.metadata.name}, requested: ${text(requested)}, used: ${text(used)}, limited: ${text(hard)}`)
    }
    return { quota, used: next }
  })
}

export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  handles: appliesTo,
  validate(a) {
    for (const { quota, used } of charged(a)) {
      if (a.dryRun || listText(used) === listText(quota.status?.used ?? {})) continue
      a.rq.effects.push({ resource: 'resourcequotas', old: quota, next: { ...quota, status: { ...quota.status, used } } })
    }
  },
}
