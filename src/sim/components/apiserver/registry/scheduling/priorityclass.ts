// scheduling.k8s.io/v1 PriorityClass (pkg/registry/scheduling/priorityclass, pkg/apis/scheduling).
import { type FieldError, forbidden, notSupported } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { priorityClassColumns } from '../core/columns.ts'
import { age, clusterMeta, immutable, metaUpdate } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'

const highestUserDefinablePriority = 1_000_000_000
const policies = ['PreemptLowerPriority', 'Never']

/** Made at start-up; nobody else may use the prefix. */
export const systemPriorityClasses = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
] as const

function systemNameProblem(o: KubeObject): string | undefined {
  const known = systemPriorityClasses.find((c) => c.name === o.metadata.name)
  if (known === undefined) return `${o.metadata.name} is not a known system priority class`
  if ((o.value ?? 0) !== known.value) return `value of ${known.name} PriorityClass must be ${known.value}`
  return o.globalDefault === true ? `globalDefault of ${known.name} PriorityClass must be false` : undefined
}

function validate(o: KubeObject): FieldError[] {
  const errors = clusterMeta(o)
  if (o.metadata.name?.startsWith('system-')) {
    const problem = systemNameProblem(o)
    if (problem !== undefined) {
      errors.push(
        forbidden('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`),
      )
    }
  } else if ((o.value ?? 0) > highestUserDefinablePriority) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserDefinablePriority}`))
  }
  if (!policies.includes(o.preemptionPolicy)) errors.push(notSupported('preemptionPolicy', o.preemptionPolicy, policies))
  return errors
}

export const priorityClass: KindStrategy = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.preemptionPolicy ??= 'PreemptLowerPriority'
    o.value ??= 0
  },
  prepareForCreate(o) {
    o.metadata.generation = 1
  },
  validate,
  validateUpdate: (o, old) => [
    ...metaUpdate(o, old),
    ...((o.value ?? 0) === (old.value ?? 0) ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', o.preemptionPolicy, old.preemptionPolicy),
  ],
  columns: priorityClassColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.value ?? 0, o.globalDefault === true, age(o, nowMs), o.preemptionPolicy ?? ''],
}
