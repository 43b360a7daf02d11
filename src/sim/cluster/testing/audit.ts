// The audit log in the form of the recordings: actor, verb, resource, name, code; generated parts of names as tokens.
import type { AuditEvent } from '../../components/apiserver/audit.ts'

export interface Line {
  readonly actor: string
  readonly node?: string
  readonly verb: string
  readonly resource: string
  readonly name?: string
  readonly code: number
}

/** `web-5d8f7c9b4d-k2x4p` → `web-<hash>-<gen>`. Hash and suffix use the safe alphabet without vowels. */
function normalName(name: string): string {
  return name.replace(/-[bcdf-hj-np-tv-z2456789]{8,10}-[bcdf-hj-np-tv-z2456789]{5}$/, '-<hash>-<gen>').replace(/-[bcdf-hj-np-tv-z2456789]{8,10}$/, '-<hash>').replace(/(?<=[a-z0-9])-[bcdf-hj-np-tv-z2456789]{5}$/, '-<gen>')
}

/** undefined for what the recordings leave out: leases, shared watches, other namespaces. */
export function actorOf(event: AuditEvent, namespace: string): Line | undefined {
  const ref = event.objectRef
  if (!ref || ref.resource === 'leases') return undefined
  const inside = ref.namespace === namespace || (ref.resource === 'namespaces' && ref.name === namespace)
  if (!inside) return undefined
  const { username } = event.user
  const account = /^system:serviceaccount:kube-system:(.+)$/.exec(username)?.[1]
  const node = /^system:node:(.+)$/.exec(username)?.[1]
  const actor = node ? 'kubelet' : account ?? (username === 'system:kube-scheduler' ? 'kube-scheduler' : username === 'system:apiserver' ? 'kube-apiserver' : username === 'kubernetes-admin' ? 'kubectl' : username)
  const name = ref.name === undefined ? undefined : ref.name === namespace ? '{{ns}}' : normalName(ref.name)
  const shown = ref.resource === 'events' ? undefined : name
  return { actor, ...(node ? { node } : {}), verb: event.verb, resource: ref.subresource ? `${ref.resource}/${ref.subresource}` : ref.resource, ...(shown === undefined ? {} : { name: shown }), code: event.responseStatus.code }
}

/** By actor; a kubelet's requests by node. Events and conflicts (which are retried) are left out. */
export function sequences(lines: readonly Line[]): Map<string, string[][]> {
  const byActor = new Map<string, Map<string, string[]>>()
  for (const line of lines) {
    if (line.resource === 'events' || line.code === 409) continue
    const nodes = byActor.get(line.actor) ?? new Map<string, string[]>()
    byActor.set(line.actor, nodes)
    const list = nodes.get(line.node ?? '') ?? []
    nodes.set(line.node ?? '', list)
    list.push([line.verb, line.resource, normalName(line.name ?? ''), line.code].join(' '))
  }
  return new Map([...byActor].map(([actor, nodes]) => [actor, [...nodes.values()]]))
}

/** Repeats folded: the same request several times in a row is one. */
export function fold(lines: readonly string[]): string[] {
  return lines.filter((line, i) => line !== lines[i - 1])
}
