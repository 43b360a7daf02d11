// What the controllers of the API server write into a definition's status:
// apiextensions-apiserver pkg/controller/{status,establish,nonstructuralschema,apiapproval}.
import { aggregateText } from '../../../../api/field-error-text.ts'
import { type FieldError, invalid } from '../../../../api/field.ts'
import { goQuote } from '../../../../api/go-text.ts'
import { aggregateTexts } from '../../../../api/field-error-text.ts'
import type { CustomResourceDefinitionNames } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { semanticEqual } from '../core/rules.ts'
import { approvalState } from './approval.ts'
import { notConvertible } from './schema.ts'
import { validateStructural } from './structural.ts'

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export interface CrdCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  lastTransitionTime?: string
  reason?: string
  message?: string
  observedGeneration?: number
}

export interface CrdStatus {
  acceptedNames: CustomResourceDefinitionNames
  conditions?: CrdCondition[] | null
  storedVersions?: string[]
}

export const statusOf = (crd: KubeObject): CrdStatus => (crd.status ?? { acceptedNames: { kind: '', plural: '' } }) as CrdStatus
export const conditionOf = (crd: KubeObject, type: string): CrdCondition | undefined =>
  (statusOf(crd).conditions ?? []).find((c) => c.type === type)

/** SetCRDCondition: a copy of the list; the transition time changes with the status only. */
export function withCondition(
  conditions: readonly CrdCondition[] | null | undefined,
  condition: CrdCondition,
  now: string,
): CrdCondition[] {
  const list = conditions ?? []
  const old = list.find((c) => c.type === condition.type)
  if (!old) return [...list, { ...condition, lastTransitionTime: now }]
  const lastTransitionTime = old.status !== condition.status || !old.lastTransitionTime ? now : old.lastTransitionTime
  return list.map((c) =>
    c === old
      ? { ...old, status: condition.status, reason: condition.reason ?? '', message: condition.message ?? '', lastTransitionTime }
      : c,
  )
}

export interface Naming {
  acceptedNames: CustomResourceDefinitionNames
  namesAccepted: CrdCondition
  established: CrdCondition
}

/** calculateNamesAndConditions, with all definitions of the group (this one too). */
export function calculateNames(crd: KubeObject, definitions: readonly KubeObject[]): Naming {
  const spec = crd.spec as { group: string; names: CustomResourceDefinitionNames }
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const other of definitions) {
    if ((other.spec as { group?: string }).group !== spec.group) continue
    const names: Partial<CustomResourceDefinitionNames> = statusOf(other).acceptedNames ?? {}
    for (const name of [names.plural ?? '', names.singular ?? '', ...(names.shortNames ?? [])]) resources.add(name)
    for (const name of [names.kind ?? '', names.listKind ?? '']) kinds.add(name)
  }
  const requested = spec.names
  const accepted = statusOf(crd).acceptedNames ?? { kind: '', plural: '' }
  const next: CustomResourceDefinitionNames = { ...accepted }
  const namesAccepted: CrdCondition = { type: 'NamesAccepted', status: 'Unknown' }
  const conflict = (reason: string, message: string): void => {
    Object.assign(namesAccepted, { status: 'False', reason, message })
  }
  const inUse = (name: string, own: string, used: ReadonlySet<string>): string | undefined =>
    name === own || !used.has(name) ? undefined : `${goQuote(name)} is already in use`
  const take = (field: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, used: ReadonlySet<string>): void => {
    const problem = inUse(requested[field] ?? '', accepted[field] ?? '', used)
    if (problem) conflict(reason, problem)
    else if (requested[field] !== undefined) next[field] = requested[field]
    else if (field === 'singular' || field === 'listKind') delete next[field]
  }
  take('plural', 'PluralConflict', resources)
  take('singular', 'SingularConflict', resources)
  if (!semanticEqual(requested.shortNames, accepted.shortNames)) {
    const problems = (requested.shortNames ?? [])
      .filter((s) => !(accepted.shortNames ?? []).includes(s))
      .flatMap((s) => inUse(s, '', resources) ?? [])
    if (problems.length > 0) conflict('ShortNamesConflict', aggregateTexts(problems))
    else if (requested.shortNames) next.shortNames = requested.shortNames
    else delete next.shortNames
  }
  take('kind', 'KindConflict', kinds)
  take('listKind', 'ListKindConflict', kinds)
  if (requested.categories) next.categories = requested.categories
  else delete next.categories
  if (namesAccepted.status === 'Unknown')
    Object.assign(namesAccepted, { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' })
  let established: CrdCondition = conditionOf(crd, 'Established') ?? {
    type: 'Established',
    status: 'False',
    reason: 'NotAccepted',
    message: 'not all names are accepted',
  }
  if (established.status !== 'True' && namesAccepted.status === 'True') {
    established = { type: 'Established', status: 'False', reason: 'Installing', message: 'the initial names have been accepted' }
  }
  return { acceptedNames: next, namesAccepted, established }
}

/** What the establishing controller sets once the names are accepted. */
export const ESTABLISHED: CrdCondition = {
  type: 'Established',
  status: 'True',
  reason: 'InitialNamesAccepted',
  message: 'the initial names have been accepted',
}

/** The NonStructuralSchema condition, or undefined where it does not belong. */
export function nonStructuralCondition(crd: KubeObject): CrdCondition | undefined {
  const spec = crd.spec as { preserveUnknownFields?: boolean; versions?: { name: string; schema?: { openAPIV3Schema?: object } }[] }
  const errors: FieldError[] = []
  if (spec.preserveUnknownFields) errors.push(invalid('spec.preserveUnknownFields', true, 'must be false'))
  for (const [i, v] of (spec.versions ?? []).entries()) {
    const schema = v.schema?.openAPIV3Schema
    if (!schema) continue
    const problem = notConvertible(schema)
    if (problem)
      return {
        type: 'NonStructuralSchema',
        status: 'Unknown',
        reason: 'StructuralError',
        message: `failed to check validation schema for version ${v.name}: ${problem}`,
      }
    errors.push(...validateStructural(`spec.versions[${i}].schema.openAPIV3Schema`, schema))
  }
  return errors.length === 0
    ? undefined
    : { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: aggregateText(errors) }
}

/** The KubernetesAPIApprovalPolicyConformant condition, or undefined where the group needs no approval. */
export function approvalCondition(crd: KubeObject): CrdCondition | undefined {
  const approval = approvalState(crd)
  if (!approval) return undefined
  const known = {
    invalid: ['False', 'InvalidAnnotation'],
    missing: ['False', 'MissingAnnotation'],
    approved: ['True', 'ApprovedAnnotation'],
    bypassed: ['False', 'UnapprovedAnnotation'],
  } as const
  const [status, reason] = known[approval.state]
  return { type: 'KubernetesAPIApprovalPolicyConformant', status, reason, message: approval.reason }
}

const sameCondition = (a: CrdCondition, b: CrdCondition | undefined): boolean =>
  b !== undefined && a.status === b.status && (a.reason ?? '') === (b.reason ?? '') && (a.message ?? '') === (b.message ?? '')

const withStatus = (crd: KubeObject, change: Partial<CrdStatus>): KubeObject => ({
  ...crd,
  status: { ...(crd.status as object), ...change },
})
const terminating = (status: 'True' | 'False', reason: string, message: string): CrdCondition => ({
  type: 'Terminating',
  status,
  reason,
  message,
})
const setCondition = (crd: KubeObject, condition: CrdCondition, now: string): KubeObject =>
  withStatus(crd, { conditions: withCondition(statusOf(crd).conditions, condition, now) })

/** What the next of those controllers wants to write, or undefined if all of them are content. One change at a time: each is a write of its own. */
export function nextStatus(crd: KubeObject, definitions: readonly KubeObject[], now: string): KubeObject | undefined {
  const nonStructural = nonStructuralCondition(crd)
  const before = conditionOf(crd, 'NonStructuralSchema')
  if (nonStructural && !sameCondition(nonStructural, before)) return setCondition(crd, nonStructural, now)
  if (!nonStructural && before)
    return withStatus(crd, { conditions: (statusOf(crd).conditions ?? []).filter((c) => c.type !== 'NonStructuralSchema') })
  const approval = approvalCondition(crd)
  if (approval && !sameCondition(approval, conditionOf(crd, approval.type))) return setCondition(crd, approval, now)
  const { names } = crd.spec as { names: CustomResourceDefinitionNames }
  if (!semanticEqual(names, statusOf(crd).acceptedNames)) {
    const { acceptedNames, namesAccepted, established } = calculateNames(crd, definitions)
    if (!semanticEqual(acceptedNames, statusOf(crd).acceptedNames) || !sameCondition(namesAccepted, conditionOf(crd, 'NamesAccepted'))) {
      return setCondition(setCondition(withStatus(crd, { acceptedNames }), namesAccepted, now), established, now)
    }
  }
  const accepted = conditionOf(crd, 'NamesAccepted')?.status === 'True'
  return accepted && conditionOf(crd, 'Established')?.status !== 'True' ? setCondition(crd, ESTABLISHED, now) : undefined
}

/** What is due for a definition that goes: note it, remove the objects, or let it go. */
export function nextOfTerminating(
  crd: KubeObject,
  objectsLeft: boolean,
  now: string,
): { write: KubeObject } | { do: 'remove objects' } | undefined {
  const finalizers = crd.metadata.finalizers ?? []
  if (!crd.metadata.deletionTimestamp || !finalizers.includes(CLEANUP_FINALIZER)) return undefined
  const progress = terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
  if (!sameCondition(progress, conditionOf(crd, 'Terminating'))) return { write: setCondition(crd, progress, now) }
  const established = conditionOf(crd, 'Established')?.status === 'True'
  if (established && objectsLeft) return { do: 'remove objects' }
  const done = established
    ? terminating('False', 'InstanceDeletionCompleted', 'removed all instances')
    : terminating('False', 'NeverEstablished', 'resource was never established')
  const { finalizers: _, ...metadata } = crd.metadata
  const rest = finalizers.filter((f) => f !== CLEANUP_FINALIZER)
  return { write: { ...setCondition(crd, done, now), metadata: rest.length > 0 ? { ...metadata, finalizers: rest } : metadata } }
}
