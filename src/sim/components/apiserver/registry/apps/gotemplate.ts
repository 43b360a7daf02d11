// How Go prints a whole pod template in a message: upstream's internal struct as JSON with Go's field names, nothing left out.
import { sortedKeys } from '../../../../../lib/compare.ts'
import { goJson } from '../../../../api/go-text.ts'
import type { LabelSelector, PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import { goTypes } from './gotypes.ts'

interface Field {
  goName: string
  jsonName: string
  kind: string
  embedded: boolean
}

const parsed = new Map<string, readonly Field[]>()

function fieldsOf(type: string): readonly Field[] {
  const known = parsed.get(type)
  if (known !== undefined) return known
  const fields = (goTypes[type] ?? '')
    .split(' ')
    .filter((f) => f !== '')
    .map((text): Field => {
      if (text.startsWith('+')) return { goName: '', jsonName: '', kind: text.slice(1), embedded: true }
      const [names = '', kind = ''] = text.split(':')
      const [goName = '', jsonName = `${goName.charAt(0).toLowerCase()}${goName.slice(1)}`] = names.split('=')
      return { goName, jsonName, kind, embedded: false }
    })
  parsed.set(type, fields)
  return fields
}

const own = (object: object, key: string): unknown => (Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined)

/** metav1.LabelSelector has JSON names: matchLabels first, empty parts left out. */
export function printLabelSelector(selector: LabelSelector | undefined | null): string {
  if (selector === undefined || selector === null) return 'null'
  const parts: string[] = []
  if (sortedKeys(selector.matchLabels).length > 0) parts.push(`"matchLabels":${goJson(selector.matchLabels)}`)
  const expressions = selector.matchExpressions ?? []
  if (expressions.length > 0) {
    const printed = expressions.map(({ key = '', operator = '', values = [] }) =>
      goJson({ key, operator, ...(values.length > 0 && { values }) }),
    )
    parts.push(`"matchExpressions":[${printed.join(',')}]`)
  }
  return `{${parts.join(',')}}`
}

const metaFields = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]

/** metav1.ObjectMeta, embedded: its JSON names, empty fields left out. */
export function printMeta(meta: object | undefined): string[] {
  return metaFields.flatMap((name) => {
    const value = meta === undefined ? undefined : own(meta, name)
    const empty = value === undefined || value === null || value === '' || value === 0
    const hollow = typeof value === 'object' && value !== null && Object.keys(value).length === 0
    return empty || hollow ? [] : [`"${name}":${goJson(value)}`]
  })
}

function print(value: unknown, kind: string): string {
  if (kind.startsWith('[]')) return Array.isArray(value) ? `[${value.map((v) => print(v, kind.slice(2))).join(',')}]` : 'null'
  if (kind.startsWith('*')) return value === undefined || value === null ? 'null' : print(value, kind.slice(1))
  switch (kind) {
    case 's':
      return goJson(value ?? '')
    case 'n':
    case 'i':
      return goJson(value ?? 0)
    case 'b':
      return goJson(value ?? false)
    case 'q':
      return goJson(value ?? '0')
    case 'j':
      return goJson(value ?? null)
    case 'l':
      return printLabelSelector(value as LabelSelector | undefined)
    default:
      return `{${printFields((value ?? {}) as object, kind).join(',')}}`
  }
}

function printFields(value: object, type: string): string[] {
  return fieldsOf(type).flatMap(({ goName, jsonName, kind, embedded }) => {
    if (kind === 'meta') return printMeta(own(value, 'metadata') as object | undefined)
    if (embedded) return printFields(value, kind)
    if (type === 'PodSpec' && jsonName === 'securityContext') return [`"${goName}":${printPodSecurityContext(value)}`]
    return [`"${goName}":${print(own(value, jsonName), kind)}`]
  })
}

/** Internally the host's namespaces belong to the security context. */
function printPodSecurityContext(spec: object): string {
  const context = own(spec, 'securityContext')
  const hosts = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers']
  const given = Object.fromEntries(hosts.map((name) => [name, own(spec, name)]))
  if (context === undefined && hosts.every((name) => given[name] === undefined)) return 'null'
  return print({ ...(context as object | undefined), ...given }, 'PodSecurityContext')
}

export const printPodTemplateSpec = (template: PodTemplateSpec | undefined): string => print(template, '*PodTemplateSpec')

/** Any of the types that a pod template is made of. */
export const printGoType = (value: unknown, type: string): string => print(value, type)
