// What the kinds of resource.k8s.io share (pkg/apis/resource/validation/validation.go).
import { type FieldError, duplicate, internalError, invalid, required, tooLong, tooMany } from '../../../../api/field.ts'
import { compileCel } from '../../../../api/cel/index.ts'
import { DYN, mapOf, objectOf, STRING, typeText } from '../../../../api/cel/types.ts'
import { isCIdentifier, isDNS1123Label, isDNS1123Subdomain } from '../../../../api/validation/names.ts'
import { csiDriverName } from '../core/persistentvolumesource.ts'
import { byteLength, invalidEach, requiredName } from '../core/rules.ts'
import { isRecord } from '../../../../../lib/own.ts'
import { keysOf } from '../pod/maps.ts'
import type { RegistryView } from '../strategy.ts'

export const driverName = csiDriverName
export const labelName = (value: string | undefined, field: string): FieldError[] =>
  invalidEach(field, value ?? '', isDNS1123Label(value ?? ''))
export const className = (value: string | undefined, field: string): FieldError[] => requiredName(field, value, isDNS1123Subdomain)

export function poolName(value: string | undefined, field: string): FieldError[] {
  if (!value) return [required(field)]
  return [
    ...(byteLength(value) > 253 ? [tooLong(field, 253)] : []),
    ...value.split('/').flatMap((part) => invalidEach(field, part, isDNS1123Subdomain(part))),
  ]
}

const identifier = (value: string, field: string): FieldError[] => [
  ...(byteLength(value) > 32 ? [tooLong(field, 32)] : []),
  ...invalidEach(field, value, isCIdentifier(value)),
]

/** A name, or a domain and a name; more slashes pass, as upstream lets them. */
export function qualifiedName(name: string, field: string): FieldError[] {
  const [first = '', second, ...more] = name.split('/')
  if (second === undefined) return identifier(first, field)
  if (more.length > 0) return []
  return [
    ...(first === '' ? [invalid(field, '', 'the domain must not be empty')] : driverName(first, field)),
    ...(second === '' ? [invalid(field, '', 'the name must not be empty')] : identifier(second, field)),
  ]
}

export const fullyQualifiedName = (name: string, field: string): FieldError[] => [
  ...qualifiedName(name, field),
  ...(name.includes('/') ? [] : [invalid(field, name, 'a fully qualified name must be a domain and a name separated by a slash')]),
]

type Rule<T> = (item: T, field: string) => FieldError[]

export function listOf<T>(items: readonly T[] | undefined, max: number, rule: Rule<T>, field: string): FieldError[] {
  if ((items?.length ?? 0) > max) return [tooMany(field, items?.length ?? 0, max)]
  return (items ?? []).flatMap((item, i) => rule(item, `${field}[${i}]`))
}

/** validateSet: a list without two items of one key. */
export function setOf<T>(
  items: readonly T[] | undefined,
  max: number,
  rule: Rule<T>,
  key: (item: T) => string,
  field: string,
): FieldError[] {
  const errors = listOf(items, max, rule, field)
  if ((items?.length ?? 0) > max) return errors
  const seen = new Set<string>()
  for (const [i, item] of (items ?? []).entries()) {
    const name = key(item)
    if (seen.has(name)) errors.push(duplicate(`${field}[${i}]`, name))
    seen.add(name)
  }
  return errors
}

const shortened = (text: string, max: number): string => {
  if (text.length <= max) return text
  const remaining = max - 3
  return `${text.slice(0, Math.floor((remaining + 1) / 2))}...${text.slice(text.length - Math.floor(remaining / 2))}`
}

export const mapItems = <T>(map: Readonly<Record<string, T>> | undefined, key: Rule<string>, item: Rule<T>, field: string): FieldError[] =>
  keysOf(map).flatMap((name) => {
    const path = `${field}[${shortened(name, 96)}]`
    return [...key(name, path), ...item((map as Record<string, T>)[name] as T, path)]
  })

/** A RawExtension that must hold a JSON object. */
export function rawExtension(value: unknown, field: string, stored = false): FieldError[] {
  if (value === undefined || value === null) return [required(field)]
  if (!stored && byteLength(JSON.stringify(value)) > 10 * 1024) return [tooLong(field, 10 * 1024)]
  return isRecord(value) ? [] : [invalid(field, '<value omitted>', 'must be a valid JSON object')]
}

const DEVICE = objectOf('kubernetes.DRADevice', {
  driver: STRING,
  attributes: mapOf(STRING, mapOf(STRING, DYN)),
  capacity: mapOf(STRING, mapOf(STRING, objectOf('kubernetes.Quantity'))),
})

export interface Selector {
  readonly cel?: { readonly expression?: string }
}

/** A device selector is a CEL expression over `device`. */
export function selectors(list: readonly Selector[] | undefined, field: string): FieldError[] {
  return listOf(
    list,
    32,
    ({ cel }, path) => {
      if (!cel) return [required(`${path}.cel`)]
      const source = cel.expression ?? ''
      const at = `${path}.cel.expression`
      if (byteLength(source) > 10 * 1024) return [tooLong(at, 10 * 1024)]
      const { program, error } = compileCel(source, { device: DEVICE })
      if (!program) return [invalid(at, source, `compilation failed: ${error}`)]
      return program.type.kind === 'bool' || program.type.kind === 'dyn'
        ? []
        : [invalid(at, source, `must evaluate to bool or the unknown type, not ${typeText(program.type)}`)]
    },
    field,
  )
}

export interface Opaque {
  readonly opaque?: { readonly driver?: string; readonly parameters?: unknown }
}

export const configuration = ({ opaque }: Opaque, field: string, stored = false): FieldError[] =>
  opaque
    ? [
        ...driverName(opaque.driver ?? '', `${field}.opaque.driver`),
        ...rawExtension(opaque.parameters, `${field}.opaque.parameters`, stored),
      ]
    : [required(`${field}.opaque`)]

const ADMIN = 'resource.kubernetes.io/admin-access'

/** AuthorizedForAdmin: whether the namespace's label allows admin access asked for at `field`. */
export function adminAccess(field: string | undefined, namespace: string, view: RegistryView): FieldError[] {
  if (field === undefined) return []
  const found = view.get('namespaces', undefined, namespace)
  if (!found) return [internalError(field, `could not retrieve namespace to verify admin access: namespaces "${namespace}" not found`)]
  return found.metadata.labels?.[ADMIN] === 'true'
    ? []
    : [
        {
          type: 'FieldValueForbidden',
          field,
          detail: `admin access to devices requires the \`${ADMIN}: true\` label on the containing namespace`,
        },
      ]
}
