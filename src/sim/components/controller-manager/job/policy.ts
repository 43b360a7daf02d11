// Pod failure policy and success policy (pkg/controller/job/pod_failure_policy.go, success_policy.go).
import type { KubeObject } from '../../../api/types/object.ts'
import { type Indexes, parseIndexes } from './indexes.ts'

export interface Verdict {
  /** FailJob: the message of the Job's failure. */
  readonly message?: string
  readonly counts: boolean
  readonly action?: 'Ignore' | 'Count' | 'FailIndex' | 'FailJob'
}

interface FailureRule {
  readonly action: NonNullable<Verdict['action']>
  readonly onExitCodes?: ExitCodes
  readonly onPodConditions?: readonly { readonly type: string; readonly status: string }[]
}

interface ExitCodes {
  readonly containerName?: string
  readonly operator: string
  readonly values: readonly number[]
}

interface Terminated {
  readonly name: string
  readonly state?: { readonly terminated?: { readonly exitCode: number } }
}

function matchExitCodes(pod: KubeObject, rule: ExitCodes): Terminated | undefined {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])] as Terminated[]
  return statuses.find((s) => {
    const code = s.state?.terminated?.exitCode
    if (code === undefined || code === 0 || (rule.containerName !== undefined && rule.containerName !== s.name)) return false
    return rule.operator === 'In' ? rule.values.includes(code) : rule.operator === 'NotIn' && !rule.values.includes(code)
  })
}

/** matchPodFailurePolicy: the first rule that fits decides. */
export function matchFailurePolicy(job: KubeObject, pod: KubeObject): Verdict {
  for (const [i, { action, onExitCodes, onPodConditions }] of ((job.spec?.podFailurePolicy?.rules ?? []) as FailureRule[]).entries()) {
    const { namespace, name } = pod.metadata
    let what: string | undefined
    if (onExitCodes) {
      const status = matchExitCodes(pod, onExitCodes)
      if (status) what = `Container ${status.name} for pod ${namespace}/${name} failed with exit code ${status.state?.terminated?.exitCode}`
    } else {
      const found = ((pod.status?.conditions ?? []) as { type: string; status: string }[]).find((c) =>
        (onPodConditions ?? []).some((p) => p.type === c.type && p.status === c.status),
      )
      if (found) what = `Pod ${namespace}/${name} has condition ${found.type}`
    }
    if (what === undefined) continue
    return {
      action,
      counts: action !== 'Ignore',
      ...(action === 'FailJob' ? { message: `${what} matching FailJob rule at index ${i}` } : {}),
    }
  }
  return { counts: true }
}

/** matchSuccessPolicy: what it says when a rule is met. */
export function matchSuccessPolicy(job: KubeObject, succeeded: Indexes): string | undefined {
  if (succeeded.size === 0) return undefined
  for (const [i, rule] of ((job.spec?.successPolicy?.rules ?? []) as { succeededIndexes?: string; succeededCount?: number }[]).entries()) {
    let met: boolean
    if (rule.succeededIndexes !== undefined) {
      const required = [...parseIndexes(rule.succeededIndexes, job.spec.completions)]
      const have = required.filter((n) => succeeded.has(n)).length
      met = rule.succeededCount === undefined ? have === required.length : have >= rule.succeededCount
    } else met = rule.succeededCount !== undefined && succeeded.size >= rule.succeededCount
    if (met) return `Matched rules at index ${i}`
  }
  return undefined
}
