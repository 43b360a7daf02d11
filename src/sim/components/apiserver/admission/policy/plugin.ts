// ValidatingAdmissionPolicy: apiserver/pkg/admission/plugin/policy/validating. Policies bind by their bindings; expressions decide.
import { labelSelectorAsSelector } from '../../../../api/labels.ts'
import { parseGroupVersion } from '../../../../api/meta.ts'
import type { LabelSelector } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { Refusal } from '../../refusal.ts'
import { forbiddenFor } from '../helpers.ts'
import type { AdmissionPlugin, Attributes } from '../types.ts'
import { environment, isTrue, type Environment, run } from './evaluate.ts'
import { type MatchResources, matches } from './match.ts'

const GROUP = 'admissionregistration.k8s.io'
const POLICIES = `validatingadmissionpolicies.${GROUP}`
const BINDINGS = `validatingadmissionpolicybindings.${GROUP}`
const MAX_MESSAGE = 5 * 1024
const CODES: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 }

interface Validation {
  readonly expression: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}

interface Denial {
  readonly policy: string
  readonly binding: string
  readonly message: string
  readonly reason: string
}

interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelector
  readonly parameterNotFoundAction?: string
}

/** CollectParams: what a binding hands to its policy; a text says why there is nothing. [undefined] = evaluate without. */
function paramsOf(policy: KubeObject, binding: KubeObject, a: Attributes): readonly (KubeObject | undefined)[] | string {
  const { paramKind } = policy.spec ?? {}
  const ref = binding.spec?.paramRef as ParamRef | undefined
  if (!paramKind || !ref) return [undefined]
  const { group, version } = parseGroupVersion(paramKind.apiVersion)
  const served = a.rq.view.kinds().find((s) => s.group === group && s.version === version && s.strategy.kind === paramKind.kind)
  if (!served) return `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${paramKind.kind}'`
  let namespace: string | undefined
  if (served.strategy.namespaced) {
    namespace = ref.namespace || a.namespace
    if (!namespace) return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources'
  } else if (ref.namespace) return 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`'
  // Recorded: the informer of parameters starts with the binding, and does not hear of what is made after it.
  const known = (o: KubeObject | undefined): o is KubeObject =>
    o !== undefined && (o.metadata.creationTimestamp ?? '') <= (binding.metadata.creationTimestamp ?? '')
  let found: readonly KubeObject[]
  if (ref.name) {
    const one = a.rq.view.get(served.id, namespace, ref.name)
    found = known(one) ? [one] : []
  } else {
    const selector = labelSelectorAsSelector(ref.selector)
    found = a.rq.view
      .list(served.id, namespace)
      .filter((o) => known(o) && selector?.matches((o.metadata.labels ?? {}) as Record<string, string>))
  }
  if (found.length > 0) return found
  return ref.parameterNotFoundAction === 'Deny' ? 'no params found for policy binding with `Deny` parameterNotFoundAction' : []
}

/** One policy with one set of parameters: the failed validations. */
function validate(policy: KubeObject, env: Environment, fails: boolean): { message: string; reason: string }[] {
  for (const { name, expression } of (policy.spec?.matchConditions ?? []) as { name: string; expression: string }[]) {
    const outcome = run(policy, expression, env)
    if ('error' in outcome)
      return fails ? [{ message: `failed to evaluate match condition ${JSON.stringify(name)}: ${outcome.error}`, reason: '' }] : []
    if (!isTrue(outcome)) return []
  }
  const out: { message: string; reason: string }[] = []
  for (const v of (policy.spec?.validations ?? []) as Validation[]) {
    const outcome = run(policy, v.expression, env)
    if ('error' in outcome) {
      if (fails) out.push({ message: `expression '${v.expression}' resulted in error: ${outcome.error}`, reason: '' })
    } else if (!isTrue(outcome)) out.push({ message: messageOf(policy, v, env), reason: v.reason ?? '' })
  }
  return out
}

function messageOf(policy: KubeObject, v: Validation, env: Environment): string {
  if (v.messageExpression) {
    const outcome = run(policy, v.messageExpression, env)
    if ('value' in outcome && typeof outcome.value === 'string') {
      const text = outcome.value.trim()
      if (text !== '' && text.length <= MAX_MESSAGE && !text.includes('\n')) return text
    }
  }
  return v.message ? v.message.trim() : `failed expression: ${v.expression.trim()}`
}

export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  handles: (a) => a.group !== GROUP,
  validate(a) {
    const { view } = a.rq
    const policies = view.list(POLICIES)
    if (policies.length === 0) return
    const bindings = view.list(BINDINGS)
    const denials: Denial[] = []
    for (const policy of policies) {
      if (!matches(policy.spec?.matchConstraints as MatchResources | undefined, a, true)) continue
      const fails = (policy.spec?.failurePolicy ?? 'Fail') === 'Fail'
      for (const binding of bindings) {
        if (
          binding.spec?.policyName !== policy.metadata.name ||
          !matches(binding.spec?.matchResources as MatchResources | undefined, a, false)
        )
          continue
        const names = { policy: policy.metadata.name ?? '', binding: binding.metadata.name ?? '' }
        const params = paramsOf(policy, binding, a)
        if (typeof params === 'string') {
          if (fails) denials.push({ ...names, message: `failed to configure binding: ${params}`, reason: '' })
          continue
        }
        const actions = (binding.spec?.validationActions ?? []) as string[]
        for (const param of params) {
          for (const { message, reason } of validate(policy, environment(policy, a, param), fails)) {
            if (actions.includes('Warn'))
              a.rq.warnings.push(
                `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
              )
            if (actions.includes('Deny')) denials.push({ ...names, message, reason })
          }
        }
      }
    }
    const first = denials[0]
    if (first) throw new Refusal(denied(a, first))
  },
}

function denied(a: Attributes, { policy, binding, message, reason }: Denial) {
  const text = `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`
  const status = forbiddenFor(a, text)
  const why = reason || 'Invalid'
  return { ...status, reason: why, code: CODES[why] ?? 422, details: { ...status.details, causes: [{ message: text }] } }
}
