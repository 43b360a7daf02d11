// ResourceQuota: apiserver/pkg/admission/plugin/resourcequota. Last of all: charges the namespace's quotas, in the same transaction as the object.
import { sortedKeys, sortStrings } from '../../../../lib/compare.ts'
import {
  addQuantities,
  compareQuantities,
  isZeroQuantity,
  parseQuantity,
  type Quantity,
  quantityToString,
  subQuantities,
} from '../../../api/quantity.ts'
import { matchesScopes, type QuotaResource, quotaUsage, resourceOfLimit } from '../../../api/quota.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

type Amounts = Readonly<Record<string, string>>

/** Kinds whose updates may use more. */
const COUNTS_UPDATES = new Set(['services', 'persistentvolumeclaims'])
/** With a quota on these, every container must name them. */
const MUST_SPECIFY = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

const appliesTo = (a: Attributes): boolean => {
  if (a.namespace === '' || (a.group === '' && a.resource === 'namespaces')) return false
  if (a.subresource !== '') return isPod(a) && a.subresource === 'resize' && a.operation === 'UPDATE'
  return a.operation === 'CREATE' || (a.operation === 'UPDATE' && a.group === '' && COUNTS_UPDATES.has(a.resource))
}

const concerns = (name: string, r: QuotaResource): boolean => {
  const of = resourceOfLimit(name)
  return of?.resource === r.resource && of.group === r.group
}

const hardOf = (quota: KubeObject): Amounts => (quota.status?.hard ?? {}) as Amounts
const usedOf = (quota: KubeObject): Amounts => (quota.status?.used ?? {}) as Amounts
const text = (list: Amounts, names: readonly string[]): string =>
  names.map((n) => `${n}=${quantityToString(parseQuantity(list[n] ?? '0'))}`).join(',')

/** podEvaluator.Constraints. */
function unspecified(pod: KubeObject, names: readonly string[]): string | undefined {
  if (pod.spec.resources) return undefined
  const missing = new Map<string, Set<string>>()
  for (const name of names.filter((n) => MUST_SPECIFY.has(n))) {
    const [kind, resource] = name.startsWith('limits.')
      ? (['limits', name.slice(7)] as const)
      : (['requests', name.replace(/^requests\./, '')] as const)
    for (const c of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
      if (Object.hasOwn(c.resources?.[kind] ?? {}, resource)) continue
      missing.set(name, (missing.get(name) ?? new Set()).add(c.name))
    }
  }
  if (missing.size === 0) return undefined
  return `must specify ${sortStrings(missing.keys())
    .map((n) => `${n} for: ${sortStrings(missing.get(n) as Set<string>).join(',')}`)
    .join('; ')}`
}

/** What the request adds to the usage: for updates the difference, never less than nothing. */
function added(a: Attributes, r: QuotaResource): Map<string, Quantity> {
  const delta = quotaUsage(r, a.object as KubeObject, a.rq.nowMs)
  const before = a.operation === 'UPDATE' && a.old ? quotaUsage(r, a.old, a.rq.nowMs) : undefined
  for (const [name, amount] of [...delta]) {
    const old = before?.get(name)
    const rest = old ? subQuantities(amount, old) : amount
    if (isZeroQuantity(quantityToString(rest)) || compareQuantities(rest, '0') < 0) delta.delete(name)
    else delta.set(name, rest)
  }
  return delta
}

export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  handles: appliesTo,
  validate(a) {
    const object = a.object as KubeObject
    const r: QuotaResource = { group: a.group, resource: a.resource }
    const quotas = a.rq.view
      .list('resourcequotas', a.namespace)
      .filter((q) => !q.metadata.deletionTimestamp && Object.keys(hardOf(q)).some((n) => concerns(n, r)) && matchesScopes(q, r, object))
    if (quotas.length === 0) return
    for (const quota of quotas) {
      const restricted = sortedKeys(hardOf(quota)).filter((n) => concerns(n, r))
      const problem = isPod(a) ? unspecified(object, restricted) : undefined
      if (problem) deny(a, `failed quota: ${quota.metadata.name}: ${problem}`)
      const unknown = restricted.filter((n) => !Object.hasOwn(usedOf(quota), n))
      if (unknown.length > 0) deny(a, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}`)
    }
    const delta = added(a, r)
    for (const quota of quotas) charge(a, quota, delta)
  },
}

function charge(a: Attributes, quota: KubeObject, delta: ReadonlyMap<string, Quantity>): void {
  const [hard, used] = [hardOf(quota), usedOf(quota)]
  const names = sortStrings(delta.keys()).filter((n) => Object.hasOwn(hard, n))
  if (names.length === 0) return
  const requested = Object.fromEntries(names.map((n) => [n, quantityToString(delta.get(n) as Quantity)]))
  const next = {
    ...used,
    ...Object.fromEntries(names.map((n) => [n, quantityToString(addQuantities(parseQuantity(used[n] ?? '0'), delta.get(n) as Quantity))])),
  }
  const exceeded = names.filter((n) => compareQuantities(next[n] as string, hard[n] as string) > 0)
  if (exceeded.length > 0)
    deny(
      a,
      `exceeded quota: ${quota.metadata.name}, requested: ${text(requested, exceeded)}, used: ${text(used, exceeded)}, limited: ${text(hard, exceeded)}`,
    )
  if (!a.dryRun) a.rq.effects.push({ resource: 'resourcequotas', old: quota, next: { ...quota, status: { ...quota.status, used: next } } })
}
