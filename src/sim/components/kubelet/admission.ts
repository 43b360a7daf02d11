// Whether a pod that was bound to this node may run here (pkg/kubelet/lifecycle/predicate.go).
import type { Node, Pod, PodSpec } from '../../api/types/kubernetes.gen.ts'
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts'
import { isMirror, isRestartableInit, isStatic, isTerminalPhase, specOf } from './pod-util.ts'

export interface Rejection {
  readonly reason: string
  readonly message: string
}

type Amounts = ReadonlyMap<string, number>

const amount = (name: string, text: string): number => (name === 'cpu' ? quantityMilliValue(text) : quantityValue(text))

/** What a pod asks for: containers and sidecars together, or its largest init container (pkg/api/v1/resource PodRequests). */
export function podRequests(pod: Pod): Amounts {
  const spec = specOf(pod)
  const total = new Map<string, number>()
  const add = (to: Map<string, number>, list: Record<string, string> | undefined): void => {
    for (const [name, text] of Object.entries(list ?? {})) to.set(name, (to.get(name) ?? 0) + amount(name, text))
  }
  for (const c of spec.containers) add(total, c.resources?.requests)
  const sidecars = new Map<string, number>()
  const largest = new Map<string, number>()
  for (const c of spec.initContainers ?? []) {
    const need = new Map(sidecars)
    if (isRestartableInit(c)) {
      add(sidecars, c.resources?.requests)
      for (const [name, n] of sidecars) need.set(name, n)
    } else add(need, c.resources?.requests)
    for (const [name, n] of need) largest.set(name, Math.max(largest.get(name) ?? 0, n))
  }
  for (const [name, n] of sidecars) total.set(name, (total.get(name) ?? 0) + n)
  for (const [name, n] of largest) total.set(name, Math.max(total.get(name) ?? 0, n))
  add(total, spec.overhead)
  return total
}

const STANDARD = ['cpu', 'memory', 'ephemeral-storage']

export function admitPod(pod: Pod, node: Node | undefined, others: readonly Pod[]): Rejection | undefined {
  if (!node) return undefined
  const spec = specOf(pod)
  const os = node.metadata.labels?.['kubernetes.io/os'] ?? 'linux'
  const wantedOs = spec.nodeSelector?.['kubernetes.io/os']
  if (wantedOs !== undefined && wantedOs !== os)
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    }
  if (spec.os?.name && spec.os.name !== os)
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  const active = others.filter((p) => !isTerminalPhase(p.status?.phase))
  const allocatable = (node.status?.allocatable ?? {}) as Record<string, string>
  const limit = quantityValue(allocatable.pods ?? '110')
  if (active.length + 1 > limit) return insufficient('pods', 1, active.length, limit)
  const wanted = podRequests(pod)
  const used = new Map<string, number>()
  for (const p of active) for (const [name, n] of podRequests(p)) used.set(name, (used.get(name) ?? 0) + n)
  for (const name of [...STANDARD, ...[...wanted.keys()].filter((n) => !STANDARD.includes(n)).sort()]) {
    const need = wanted.get(name) ?? 0
    if (need === 0) continue
    // An extended resource that the node does not know is left to the scheduler.
    if (!STANDARD.includes(name) && allocatable[name] === undefined) continue
    const capacity = amount(name, allocatable[name] ?? '0')
    const taken = used.get(name) ?? 0
    if (need > capacity - taken) return insufficient(name, need, taken, capacity)
  }
  if (!matchesNode(spec, node)) return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return predicate('NodeName', "node(s) didn't match the requested node name")
  if (portsConflict(pod, active)) return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  if (!isStatic(pod) && !isMirror(pod)) {
    for (const taint of node.spec?.taints ?? []) {
      if (taint.effect !== 'NoExecute') continue
      const tolerated = (spec.tolerations ?? []).some(
        (t) =>
          (!t.effect || t.effect === taint.effect) &&
          (t.key === undefined || t.key === ''
            ? t.operator === 'Exists'
            : t.key === taint.key && (t.operator === 'Exists' || (t.value ?? '') === (taint.value ?? ''))),
      )
      if (!tolerated) return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
    }
  }
  return undefined
}

const insufficient = (name: string, requested: number, used: number, capacity: number): Rejection => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})
const predicate = (name: string, why: string): Rejection => ({ reason: name, message: `Predicate ${name} failed: ${why}` })

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

function holds(labels: Record<string, string>, r: Requirement): boolean {
  const has = Object.hasOwn(labels, r.key)
  const value = has ? (labels[r.key] as string) : ''
  switch (r.operator) {
    case 'In':
      return has && (r.values ?? []).includes(value)
    case 'NotIn':
      return !has || !(r.values ?? []).includes(value)
    case 'Exists':
      return has
    case 'DoesNotExist':
      return !has
    case 'Gt':
      return has && /^-?\d+$/.test(value) && Number(value) > Number(r.values?.[0])
    case 'Lt':
      return has && /^-?\d+$/.test(value) && Number(value) < Number(r.values?.[0])
    default:
      return false
  }
}

function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = (node.metadata.labels ?? {}) as Record<string, string>
  for (const [k, v] of Object.entries(spec.nodeSelector ?? {})) if (!Object.hasOwn(labels, k) || labels[k] !== v) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (!terms) return true
  return terms.some((term) => {
    const expressions = term.matchExpressions ?? []
    const fields = term.matchFields ?? []
    if (expressions.length + fields.length === 0) return false
    return expressions.every((r) => holds(labels, r)) && fields.every((r) => holds({ 'metadata.name': node.metadata.name ?? '' }, r))
  })
}

function hostPorts(pod: Pod): { ip: string; port: number; protocol: string }[] {
  return specOf(pod).containers.flatMap((c) =>
    (c.ports ?? []).flatMap((p) => (p.hostPort ? [{ ip: p.hostIP || '0.0.0.0', port: p.hostPort, protocol: p.protocol ?? 'TCP' }] : [])),
  )
}

function portsConflict(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod)
  if (wanted.length === 0) return false
  const taken = others.flatMap(hostPorts)
  return wanted.some((w) =>
    taken.some((t) => t.port === w.port && t.protocol === w.protocol && (t.ip === w.ip || t.ip === '0.0.0.0' || w.ip === '0.0.0.0')),
  )
}
