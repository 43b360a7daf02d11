// What the kinds of this part of the registry share: metadata rules, field checks, cells.
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import {
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  validatePathSegmentName,
} from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../../api/validation/objectmeta.ts'
import { translateTimestampSince } from '../apps/columns.ts'
import { semanticEqual } from '../apps/common.ts'
import { byteLength } from '../pod/maps.ts'
import type { Column, RegistryView, UpdateStrategy } from '../strategy.ts'

export {
  byteLength,
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  semanticEqual,
  validatePathSegmentName,
}
export { translateTimestampSince, validateObjectMeta, validateObjectMetaUpdate }

export type NameRule = (name: string, prefix: boolean) => string[]

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

/** validateKubeFinalizerName: without a prefix only upstream's own. */
export const kubeFinalizerName = (value: string, field: string): FieldError[] =>
  value.includes('/') || standardFinalizers.has(value)
    ? []
    : [invalid(field, value, 'name is neither a standard finalizer name nor is it fully qualified')]

/** ValidateObjectMeta of pkg/apis/core/validation: the generic one, and stricter finalizers. */
const meta = (o: KubeObject, namespaced: boolean, rule: NameRule): FieldError[] => [
  ...validateObjectMeta(o.metadata, namespaced, rule, 'metadata'),
  ...(o.metadata.finalizers ?? []).flatMap((f, i) => kubeFinalizerName(f, `metadata.finalizers[${i}]`)),
]
export const clusterMeta = (o: KubeObject, rule: NameRule = nameIsDNSSubdomain): FieldError[] => meta(o, false, rule)
export const namespacedMeta = (o: KubeObject, rule: NameRule = nameIsDNSSubdomain): FieldError[] => meta(o, true, rule)
export const metaUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateObjectMetaUpdate(o.metadata, old.metadata, 'metadata'),
  ...(o.metadata.finalizers ?? []).flatMap((f, i) => kubeFinalizerName(f, `metadata.finalizers[${i}]`)),
]

/** ValidateRBACName: a prefix is judged like a whole name. */
export const rbacName: NameRule = (name) => validatePathSegmentName(name, false)

/** ValidateImmutableField. */
export const immutable = (field: string, value: unknown, old: unknown, text?: string): FieldError[] =>
  semanticEqual(value, old)
    ? []
    : [{ ...invalid(field, value ?? null, 'field is immutable'), ...(text === undefined ? {} : { badValueText: text }) }]

export const nonNegative = (field: string, value: number | undefined): FieldError[] =>
  (value ?? 0) < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : []

export const invalidEach = (field: string, value: string, messages: readonly string[]): FieldError[] =>
  messages.map((m) => invalid(field, value, m))

/** Required when empty, else every complaint of the rule. */
export const requiredName = (
  field: string,
  value: string | undefined,
  rule: (v: string) => readonly string[],
  detail = '',
): FieldError[] => (value ? invalidEach(field, value, rule(value)) : [required(field, detail)])

export const age = (o: KubeObject, nowMs: number): string => translateTimestampSince(o.metadata.creationTimestamp, nowMs)

/** rest.NewDefaultTableConvertor: kinds without a printer of their own. */
export const defaultColumns: readonly Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description:
      'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
    priority: 0,
  },
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
    priority: 0,
  },
]
export const defaultRow = (o: KubeObject): (string | null)[] => [o.metadata.name ?? '', o.metadata.creationTimestamp ?? null]

/** A door through which only `field` may change: everything else of the object stays as it was. */
export const keep = (draft: KubeObject, old: KubeObject, field: string): void => {
  if (old[field] === undefined) delete draft[field]
  else draft[field] = old[field]
}

/** Most status doors: the spec stays, `validate` judges. */
export const statusDoor = (
  validate: (draft: KubeObject, old: KubeObject, view: RegistryView) => FieldError[],
): { does: 'update' } & UpdateStrategy => ({
  does: 'update',
  prepareForUpdate: (draft, old) => keep(draft, old, 'spec'),
  validateUpdate: validate,
})

export const nowText = (nowMs: number): string => `${new Date(nowMs).toISOString().slice(0, 19)}Z`
