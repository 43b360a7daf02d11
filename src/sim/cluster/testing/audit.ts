// The audit log in the form of the recordings: actor, verb, resource, name, code; generated parts of names as tokens.
import type { AuditEvent } from '../../components/apiserver/audit.ts'

export interface Line {
  readonly actor: string
  readonly node?: string
  readonly verb: string
  readonly resource: string
  readonly name?: string
  /** Before generated parts became tokens; only of our own log. */
  readonly rawName?: string
  readonly code: number
}

/** `web-5d8f7c9b4d-k2x4p` → `web-<hash>-<gen>`. Hash and suffix use the safe alphabet without vowels. */
function normalName(name: string): string {
  return name
    .replace(/-[bcdf-hj-np-tv-z2456789]{8,10}-[bcdf-hj-np-tv-z2456789]{5}$/, '-<hash>-<gen>')
    .replace(/-[bcdf-hj-np-tv-z2456789]{8,10}$/, '-<hash>')
    .replace(/(?<=[a-z0-9])-[bcdf-hj-np-tv-z2456789]{5}$/, '-<gen>')
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
  const actor = node
    ? 'kubelet'
    : (account ??
      (username === 'system:kube-scheduler'
        ? 'kube-scheduler'
        : username === 'system:apiserver'
          ? 'kube-apiserver'
          : username === 'kubernetes-admin'
            ? 'kubectl'
            : username))
  const name = ref.name === undefined ? undefined : ref.name === namespace ? '{{ns}}' : normalName(ref.name)
  const shown = ref.resource === 'events' ? undefined : name
  return {
    actor,
    ...(node ? { node } : {}),
    verb: event.verb,
    resource: ref.subresource ? `${ref.resource}/${ref.subresource}` : ref.resource,
    ...(shown === undefined ? {} : { name: shown, rawName: ref.name ?? '' }),
    code: event.responseStatus.code,
  }
}

/** Requests of each actor in order. Events and conflicts (which are retried) are left out. */
export function sequences(lines: readonly Line[]): Map<string, string[]> {
  const byActor = new Map<string, string[]>()
  for (const line of lines) {
    if (line.resource === 'events' || line.code === 409) continue
    const list = byActor.get(line.actor) ?? []
    byActor.set(line.actor, list)
    list.push(text(line))
  }
  return byActor
}

/**
 * What kubelets did about single pods. The recordings do not tell the pods of one node apart, so of them only nodes that began one pod count;
 * ours are told apart by name. Requests for what pods share (the root CA, tokens) are left out here.
 */
export function podSequences(lines: readonly Line[], by: 'node' | 'pod'): string[][] {
  const groups = new Map<string, string[]>()
  for (const line of lines) {
    if (line.actor !== 'kubelet' || !line.resource.startsWith('pods') || line.code === 409) continue
    const key = by === 'pod' ? (line.rawName ?? '') : (line.node ?? '')
    const list = groups.get(key) ?? []
    groups.set(key, list)
    list.push(text(line))
  }
  return [...groups.values()].map(fold)
}

const text = (line: Line): string => [line.verb, line.resource, normalName(line.name ?? ''), line.code].join(' ')

/** Repeats folded: the same request several times in a row is one. */
export function fold(lines: readonly string[]): string[] {
  return lines.filter((line, i) => line !== lines[i - 1])
}
