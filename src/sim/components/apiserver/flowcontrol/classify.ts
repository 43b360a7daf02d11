// Which flow schema a request falls under (apiserver/pkg/util/flowcontrol/rule.go). Nothing is queued: the simulation's requests never
// come near the limits; the classification is recorded and told in the answer's headers.
import type { ServerView } from '../rest/request.ts'
import type { RequestInfo, User } from '../types.ts'

export interface Flow {
  readonly flowSchema: string
  readonly priorityLevel: string
  /** As the answer's headers name them. */
  readonly uids: { readonly flowSchema: string; readonly priorityLevel: string }
}

type Data = any

const matches = (list: readonly string[] | undefined, value: string): boolean => (list ?? []).some((v) => v === '*' || v === value)

function subjectMatches(subject: Data, user: User): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user.name === '*' || subject.user.name === user.name
    case 'Group':
      return subject.group.name === '*' || user.groups.includes(subject.group.name)
    default: {
      const { namespace, name } = subject.serviceAccount
      return name === '*'
        ? user.name.startsWith(`system:serviceaccount:${namespace}:`)
        : user.name === `system:serviceaccount:${namespace}:${name}`
    }
  }
}

function ruleMatches(rule: Data, user: User, info: RequestInfo): boolean {
  if (!rule.subjects.some((s: Data) => subjectMatches(s, user))) return false
  if (!info.isResource) {
    return (rule.nonResourceRules ?? []).some(
      (r: Data) =>
        matches(r.verbs, info.verb) &&
        r.nonResourceURLs.some((u: string) => u === '*' || u === info.path || (u.endsWith('/*') && info.path.startsWith(u.slice(0, -1)))),
    )
  }
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`
  return (rule.resourceRules ?? []).some(
    (r: Data) =>
      matches(r.verbs, info.verb) &&
      matches(r.apiGroups, info.group) &&
      matches(r.resources, resource) &&
      (info.namespace === '' ? r.clusterScope === true : matches(r.namespaces, info.namespace)),
  )
}

export function classify(user: User, info: RequestInfo, view: ServerView): Flow | undefined {
  let best: Data
  for (const schema of view.list('flowschemas.flowcontrol.apiserver.k8s.io') as Data[]) {
    if (best && (schema.spec.matchingPrecedence ?? 1000) >= (best.spec.matchingPrecedence ?? 1000)) continue
    if ((schema.spec.rules ?? []).some((r: Data) => ruleMatches(r, user, info))) best = schema
  }
  if (!best) return undefined
  const priorityLevel = best.spec.priorityLevelConfiguration.name
  const level = view.get('prioritylevelconfigurations.flowcontrol.apiserver.k8s.io', undefined, priorityLevel)
  return {
    flowSchema: best.metadata.name,
    priorityLevel,
    uids: { flowSchema: best.metadata.uid ?? '', priorityLevel: level?.metadata.uid ?? '' },
  }
}
