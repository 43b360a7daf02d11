// rbac.authorization.k8s.io/v1 RoleBinding and ClusterRoleBinding (pkg/registry/rbac, pkg/apis/rbac/validation).
import { type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { RoleRef, Subject } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { clusterRoleBindingColumns, roleBindingColumns } from '../core/columns.ts'
import { age, clusterMeta, invalidEach, metaUpdate, nameIsDNSSubdomain, namespacedMeta, rbacName } from '../core/rules.ts'
import { goString, goStruct } from '../core/gostruct.ts'
import type { KindStrategy } from '../strategy.ts'
import { rbacGroup } from './roles.ts'

const roleRefText = goStruct(['APIGroup', 'apiGroup', goString], ['Kind', 'kind', goString], ['Name', 'name', goString])

function validateSubject(subject: Subject, namespaced: boolean, field: string): FieldError[] {
  const errors: FieldError[] = []
  const group = subject.apiGroup ?? ''
  if (!subject.name) errors.push(required(`${field}.name`))
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name) errors.push(...invalidEach(`${field}.name`, subject.name, nameIsDNSSubdomain(subject.name, false)))
      if (group !== '') errors.push(notSupported(`${field}.apiGroup`, group, ['']))
      if (!namespaced && !subject.namespace) errors.push(required(`${field}.namespace`))
      break
    case 'User':
    case 'Group':
      if (group !== rbacGroup) errors.push(notSupported(`${field}.apiGroup`, group, [rbacGroup]))
      break
    default:
      errors.push(notSupported(`${field}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group']))
  }
  return errors
}

function validateBody(o: KubeObject, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  const ref = o.roleRef as RoleRef
  if (ref.apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', ref.apiGroup ?? '', [rbacGroup]))
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(ref.kind)) errors.push(notSupported('roleRef.kind', ref.kind ?? '', kinds))
  if (!ref.name) errors.push(required('roleRef.name'))
  else errors.push(...invalidEach('roleRef.name', ref.name, rbacName(ref.name, false)))
  for (const [i, subject] of ((o.subjects ?? []) as Subject[]).entries())
    errors.push(...validateSubject(subject, namespaced, `subjects[${i}]`))
  return errors
}

const validateRoleBinding = (o: KubeObject): FieldError[] => [...namespacedMeta(o, rbacName), ...validateBody(o, true)]
const validateClusterRoleBinding = (o: KubeObject): FieldError[] => [...clusterMeta(o, rbacName), ...validateBody(o, false)]

const sameRef = (o: KubeObject, old: KubeObject): FieldError[] => {
  const text = roleRefText(o.roleRef)
  return text === roleRefText(old.roleRef) ? [] : [{ ...invalid('roleRef', o.roleRef, 'cannot change roleRef'), badValueText: text }]
}

function defaults(o: KubeObject): void {
  o.roleRef ??= {}
  o.roleRef.apiGroup ||= rbacGroup
  o.roleRef.kind ??= ''
  o.roleRef.name ??= ''
  for (const subject of (o.subjects ?? []) as Subject[]) {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = rbacGroup
    subject.kind ??= ''
    subject.name ??= ''
  }
}

const named = (o: KubeObject, kind: string, text: (s: Subject) => string): string =>
  ((o.subjects ?? []) as Subject[])
    .filter((s) => s.kind === kind)
    .map(text)
    .join(', ')

const row = (o: KubeObject, nowMs: number): string[] => [
  o.metadata.name ?? '',
  `${o.roleRef?.kind ?? ''}/${o.roleRef?.name ?? ''}`,
  age(o, nowMs),
  named(o, 'User', (s) => s.name),
  named(o, 'Group', (s) => s.name),
  named(o, 'ServiceAccount', (s) => `${s.namespace ?? ''}/${s.name}`),
]

const common = {
  group: rbacGroup,
  version: 'v1',
  shortNames: [],
  categories: [],
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  defaults,
  row,
} as const

export const roleBinding: KindStrategy = {
  ...common,
  kind: 'RoleBinding',
  resource: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  validate: validateRoleBinding,
  validateUpdate: (o, old) => [...validateRoleBinding(o), ...metaUpdate(o, old), ...sameRef(o, old)],
  columns: roleBindingColumns,
}

export const clusterRoleBinding: KindStrategy = {
  ...common,
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  validate: validateClusterRoleBinding,
  validateUpdate: (o, old) => [...validateClusterRoleBinding(o), ...metaUpdate(o, old), ...sameRef(o, old)],
  columns: clusterRoleBindingColumns,
}
