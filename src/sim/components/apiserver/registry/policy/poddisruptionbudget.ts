// policy/v1 PodDisruptionBudget (pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation).
// Its metadata is checked by the generic rules alone.
import type { FieldError } from '../../../../api/field.ts'
import { invalid, notSupported } from '../../../../api/field.ts'
import type { PodDisruptionBudgetSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateConditions } from '../../../../api/validation/conditions.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { ensureSpec, nonNegative, semanticEqual } from '../apps/common.ts'
import { printGoType } from '../apps/gotemplate.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../apps/intorpercent.ts'
import type { KindStrategy } from '../strategy.ts'

function validateSpec(spec: PodDisruptionBudgetSpec, old: PodDisruptionBudgetSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const error = invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')
    errors.push({ ...error, badValueText: printGoType(spec, 'PodDisruptionBudgetSpec') })
  }
  for (const [name, value] of [['minAvailable', minAvailable] as const, ['maxUnavailable', maxUnavailable] as const]) {
    if (value === undefined) continue
    errors.push(...validatePositiveIntOrPercent(value, `spec.${name}`), ...isNotMoreThan100Percent(value, `spec.${name}`))
  }
  const allowInvalidLabelValueInSelector = old?.selector !== undefined && validateLabelSelector(old.selector, '').length > 0
  errors.push(...validateLabelSelector(selector, 'spec.selector', { allowInvalidLabelValueInSelector }))
  const policies = ['AlwaysAllow', 'IfHealthyBudget']
  if (policy !== undefined && !policies.includes(policy)) errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, policies))
  return errors
}

const emptyStatus = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }

export const podDisruptionBudget: KindStrategy = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    draft.status = { ...emptyStatus, ...draft.status }
  },
  prepareForCreate(draft) {
    draft.status = { ...emptyStatus }
    draft.metadata.generation = 1
  },
  validate: (draft) => validateSpec(draft.spec, undefined),
  prepareForUpdate(draft, old) {
    draft.status = old.status
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (draft, old) => validateSpec(draft.spec, old.spec),
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: ({ status }) => [
        ...validateConditions(status.conditions, 'status.conditions'),
        ...nonNegative('status.disruptionsAllowed', status.disruptionsAllowed),
        ...nonNegative('status.currentHealthy', status.currentHealthy),
        ...nonNegative('status.desiredHealthy', status.desiredHealthy),
        ...nonNegative('status.expectedPods', status.expectedPods),
      ],
    },
  },
  columns: [
    nameColumn,
    column('Min Available', 'string', 'The minimum number of pods that must be available.'),
    column('Max Unavailable', 'string', 'The maximum number of pods that may be unavailable.'),
    column('Allowed Disruptions', 'integer', 'Calculated number of pods that may be disrupted at this time.'),
    ageColumn,
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    String(spec.minAvailable ?? 'N/A'),
    String(spec.maxUnavailable ?? 'N/A'),
    status?.disruptionsAllowed ?? 0,
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}
