// flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration (pkg/registry/flowcontrol/prioritylevelconfiguration, pkg/apis/flowcontrol/validation).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { mandatoryPriorityLevels } from '../../flowcontrol/bootstrap.ts'
import { priorityLevelColumns } from '../core/columns.ts'
import { age, clusterMeta, semanticEqual } from '../core/rules.ts'
import { has } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'
import { bumpGeneration, defaultConditions, keepAllButStatus, validateConditions } from './flowschema.ts'
import { goPriorityLevelSpec } from './structs.ts'

const preserveZero = 'flowcontrol.k8s.io/preserve-zero-concurrency-shares'
const maxQueues = 10_000_000
const maxHashBits = 60

/** shufflesharding.RequiredEntropyBits. */
export const requiredEntropyBits = (deckSize: number, handSize: number): number => Math.ceil(Math.log2(deckSize) * handSize)

function validateQueuing(q: QueuingConfiguration, field: string): FieldError[] {
  const errors: FieldError[] = []
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = q
  if (queueLengthLimit <= 0) errors.push(invalid(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalid(`${field}.queues`, queues, 'must be positive'))
  else if (queues > maxQueues) errors.push(invalid(`${field}.queues`, queues, `must not be greater than ${maxQueues}`))
  const hand = `${field}.handSize`
  if (handSize <= 0) errors.push(invalid(hand, handSize, 'must be positive'))
  else if (handSize > queues) errors.push(invalid(hand, handSize, `should not be greater than queues (${queues})`))
  else if (requiredEntropyBits(queues, handSize) > maxHashBits) {
    errors.push(
      invalid(
        hand,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`,
      ),
    )
  }
  return errors
}

function validateResponse(r: LimitResponse, field: string): FieldError[] {
  switch (r.type) {
    case 'Reject':
      return r.queuing ? [forbidden(`${field}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')] : []
    case 'Queue':
      return r.queuing
        ? validateQueuing(r.queuing, `${field}.queuing`)
        : [required(`${field}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')]
    default:
      return [notSupported(`${field}.type`, r.type ?? '', ['Queue', 'Reject'])]
  }
}

const percent = (value: number | undefined, field: string): FieldError[] =>
  value !== undefined && !(value >= 0 && value <= 100) ? [invalid(field, value, 'must be between 0 and 100, inclusive')] : []

const shares = (value: number | undefined, field: string): FieldError[] =>
  (value ?? 0) < 0 ? [invalid(field, value, 'must be a non-negative integer')] : []

const validateLimited = (l: LimitedPriorityLevelConfiguration, field: string): FieldError[] => [
  ...shares(l.nominalConcurrencyShares, `${field}.nominalConcurrencyShares`),
  ...validateResponse(l.limitResponse ?? ({} as LimitResponse), `${field}.limitResponse`),
  ...percent(l.lendablePercent, `${field}.lendablePercent`),
  ...((l.borrowingLimitPercent ?? 0) < 0
    ? [invalid(`${field}.borrowingLimitPercent`, l.borrowingLimitPercent, 'if specified, must be a non-negative integer')]
    : []),
]

const validateExempt = (e: ExemptPriorityLevelConfiguration, field: string): FieldError[] => [
  ...shares(e.nominalConcurrencyShares, `${field}.nominalConcurrencyShares`),
  ...percent(e.lendablePercent, `${field}.lendablePercent`),
]

function validateSpec(name: string, spec: PriorityLevelConfigurationSpec): FieldError[] {
  const errors: FieldError[] = []
  const type = spec.type ?? ''
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"))
  switch (type) {
    case 'Exempt':
      if (spec.limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
      if (spec.exempt) errors.push(...validateExempt(spec.exempt, 'spec.exempt'))
      break
    case 'Limited':
      if (spec.exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
      if (spec.limited) errors.push(...validateLimited(spec.limited, 'spec.limited'))
      else errors.push(required('spec.limited', 'must not be empty when type is Limited'))
      break
    default:
      errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  }
  return errors
}

function validateMandatory(o: KubeObject): FieldError[] {
  const name = o.metadata.name ?? ''
  const mandatory = mandatoryPriorityLevels.find((m) => m.metadata.name === name)
  if (mandatory === undefined) return []
  const exempt = name === 'exempt'
  const have = exempt ? { ...o.spec, exempt: mandatory.spec.exempt } : o.spec
  if (semanticEqual(have, mandatory.spec)) return []
  const detail = exempt
    ? "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
    : `spec of '${name}' must equal the fixed value`
  return [{ ...invalid('spec', o.spec, detail), badValueText: goPriorityLevelSpec(o.spec) }]
}

const validate = (o: KubeObject): FieldError[] => [
  ...clusterMeta(o),
  ...(has(o.metadata.annotations, preserveZero) ? [forbidden('metadata.annotations', `annotation '${preserveZero}' is forbidden`)] : []),
  ...validateSpec(o.metadata.name ?? '', o.spec ?? {}),
  ...validateMandatory(o),
  ...validateConditions(o),
]

function defaultSpec(spec: PriorityLevelConfigurationSpec): void {
  if (spec.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0
    spec.exempt.lendablePercent ??= 0
  }
  if (!spec.limited) return
  spec.limited.nominalConcurrencyShares ??= 30
  spec.limited.lendablePercent ??= 0
  spec.limited.limitResponse ??= { type: '' as 'Queue' }
  const queuing = spec.limited.limitResponse.queuing
  if (!queuing) return
  queuing.handSize ||= 8
  queuing.queues ||= 64
  queuing.queueLengthLimit ||= 50
}

export const priorityLevelConfiguration: KindStrategy = {
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  resource: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  shortNames: [],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.type ??= ''
    defaultSpec(o.spec)
    o.status ??= {}
    defaultConditions(o)
  },
  prepareForCreate(o) {
    o.status = {}
    o.metadata.generation = 1
  },
  validate,
  prepareForUpdate: bumpGeneration,
  validateUpdate: validate,
  subresources: { status: { does: 'update', prepareForUpdate: keepAllButStatus, validateUpdate: validateConditions } },
  columns: priorityLevelColumns,
  row: (o, nowMs) => {
    const limited = (o.spec as PriorityLevelConfigurationSpec | undefined)?.limited
    const queuing = limited?.limitResponse?.queuing
    return [
      o.metadata.name ?? '',
      o.spec?.type ?? '',
      limited ? (limited.nominalConcurrencyShares ?? 0) : '<none>',
      queuing?.queues ?? '<none>',
      queuing?.handSize ?? '<none>',
      queuing?.queueLengthLimit ?? '<none>',
      age(o, nowMs),
    ]
  },
}
