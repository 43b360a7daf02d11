// Node selectors and pod affinity terms, parsed (component-helpers/scheduling/corev1/nodeaffinity, pkg/scheduler/framework/types.go AffinityTerm).
import {
  type Labels,
  labelSelectorAsSelector,
  newRequirement,
  newSelector,
  nothing,
  type Operator,
  type Requirement,
  type Selector,
} from '../../../api/labels.ts'
import type {
  LabelSelector,
  Node,
  NodeSelectorTerm,
  Pod,
  PodAffinityTerm,
  PreferredSchedulingTerm,
  WeightedPodAffinityTerm,
} from '../../../api/types/kubernetes.gen.ts'
import { getOwn } from '../../../../lib/own.ts'

const converted = new WeakMap<LabelSelector, Selector>()

/** LabelSelectorAsSelector, once per object; absent or invalid selects nothing. */
export function toSelector(selector: LabelSelector | undefined | null): Selector {
  if (!selector) return nothing
  let found = converted.get(selector)
  if (!found) {
    found = labelSelectorAsSelector(selector) ?? nothing
    converted.set(selector, found)
  }
  return found
}

export interface NodeTerm {
  readonly labels: Selector | undefined
  /** Required names and excluded names, from matchFields. */
  readonly fields: readonly { readonly operator: 'In' | 'NotIn'; readonly value: string }[]
}

const OPERATORS: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!', Gt: 'gt', Lt: 'lt' }

/** A term that selects nothing (empty, or with an expression that cannot be parsed) is undefined. */
export function parseNodeTerm(term: NodeSelectorTerm | undefined): NodeTerm | undefined {
  const expressions = term?.matchExpressions ?? []
  const matchFields = term?.matchFields ?? []
  if (expressions.length === 0 && matchFields.length === 0) return undefined
  const requirements: Requirement[] = []
  for (const expression of expressions) {
    const operator = getOwn(OPERATORS, expression.operator)
    const made = operator && newRequirement(expression.key, operator, expression.values ?? [])
    if (!made || made.value === undefined) return undefined
    requirements.push(made.value)
  }
  const fields: { operator: 'In' | 'NotIn'; value: string }[] = []
  for (const field of matchFields) {
    const value = field.values?.[0]
    if (field.key !== 'metadata.name' || field.values?.length !== 1 || value === undefined) return undefined
    if (field.operator !== 'In' && field.operator !== 'NotIn') return undefined
    fields.push({ operator: field.operator, value })
  }
  return { labels: expressions.length > 0 ? newSelector(requirements) : undefined, fields }
}

export function nodeTermMatches(term: NodeTerm, node: Node): boolean {
  if (term.labels && !term.labels.matches(node.metadata.labels)) return false
  for (const field of term.fields) if ((node.metadata.name === field.value) !== (field.operator === 'In')) return false
  return true
}

/** nodeaffinity.GetRequiredNodeAffinity: nodeSelector and the required terms. */
export interface RequiredNodeAffinity {
  readonly nodeSelector: readonly (readonly [string, string])[]
  /** Undefined: no required affinity. Terms that select nothing are left out. */
  readonly terms: readonly NodeTerm[] | undefined
}

export function requiredNodeAffinity(pod: Pod): RequiredNodeAffinity {
  const selector = pod.spec?.nodeSelector
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return {
    nodeSelector: selector ? Object.keys(selector).map((key) => [key, selector[key] as string] as const) : [],
    terms: required ? required.nodeSelectorTerms.map(parseNodeTerm).filter((t) => t !== undefined) : undefined,
  }
}

export function requiredNodeAffinityMatches(affinity: RequiredNodeAffinity, node: Node): boolean {
  for (const [key, value] of affinity.nodeSelector) if (getOwn(node.metadata.labels, key) !== value) return false
  if (!affinity.terms) return true
  for (const term of affinity.terms) if (nodeTermMatches(term, node)) return true
  return false
}

export interface PreferredNodeTerm {
  readonly weight: number
  readonly term: NodeTerm
}

export function preferredNodeTerms(terms: readonly PreferredSchedulingTerm[]): PreferredNodeTerm[] {
  const out: PreferredNodeTerm[] = []
  for (const { weight, preference } of terms) {
    const term = weight === 0 ? undefined : parseNodeTerm(preference)
    if (term) out.push({ weight, term })
  }
  return out
}

/** One (anti-)affinity term of a pod. `weight` is 0 for required terms. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>
  readonly namespaceSelector: Selector
  readonly selector: Selector
  readonly topologyKey: string
  readonly weight: number
}

function affinityTerm(namespace: string, labels: Labels | undefined, term: PodAffinityTerm, weight: number): AffinityTerm {
  const own = (term.namespaces ?? []).length === 0 && !term.namespaceSelector
  return {
    namespaces: new Set(own ? [namespace] : (term.namespaces ?? [])),
    namespaceSelector: toSelector(term.namespaceSelector),
    selector: mergeLabelKeys(toSelector(term.labelSelector), labels, term.matchLabelKeys, term.mismatchLabelKeys),
    topologyKey: term.topologyKey,
    weight,
  }
}

/** The API server merges these keys into the stored selector; merging again changes nothing, and serves selectors that never passed it. */
export function mergeLabelKeys(
  selector: Selector,
  labels: Labels | undefined,
  match: readonly string[] = [],
  mismatch: readonly string[] = [],
): Selector {
  if (match.length === 0 && mismatch.length === 0) return selector
  if (selector === nothing) return selector
  const extra: Requirement[] = []
  for (const key of match) {
    const value = getOwn(labels, key)
    if (value !== undefined) extra.push({ key, operator: 'in', values: [value] })
  }
  for (const key of mismatch) {
    const value = getOwn(labels, key)
    if (value !== undefined) extra.push({ key, operator: 'notin', values: [value] })
  }
  return newSelector([...selector.requirements, ...extra])
}

export const requiredTerms = (pod: Pod, terms: readonly PodAffinityTerm[] | undefined): readonly AffinityTerm[] =>
  terms && terms.length > 0 ? terms.map((t) => affinityTerm(pod.metadata.namespace ?? '', pod.metadata.labels, t, 0)) : NO_TERMS

export const preferredTerms = (pod: Pod, terms: readonly WeightedPodAffinityTerm[] | undefined): readonly AffinityTerm[] =>
  terms && terms.length > 0
    ? terms.map((t) => affinityTerm(pod.metadata.namespace ?? '', pod.metadata.labels, t.podAffinityTerm, t.weight))
    : NO_TERMS

export const NO_TERMS: readonly AffinityTerm[] = []

export interface PodIdentity {
  readonly namespace: string
  readonly labels: Labels | undefined
}

export function termMatches(term: AffinityTerm, pod: PodIdentity, namespaceLabels: Labels | undefined): boolean {
  if (!term.namespaces.has(pod.namespace) && !term.namespaceSelector.matches(namespaceLabels)) return false
  return term.selector.matches(pod.labels)
}

/** False where there are no terms. */
export function matchesAllTerms(terms: readonly AffinityTerm[], pod: PodIdentity, namespaceLabels: Labels | undefined): boolean {
  if (terms.length === 0) return false
  for (const term of terms) if (!termMatches(term, pod, namespaceLabels)) return false
  return true
}
