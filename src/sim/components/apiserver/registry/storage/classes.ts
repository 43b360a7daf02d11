// storage.k8s.io/v1 StorageClass and VolumeAttributesClass (pkg/registry/storage, pkg/apis/storage/validation).
import { deepEqual } from '../../../../../lib/compare.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import { stableStringify } from '../../../../../lib/stringify.ts'
import type { TopologySelectorTerm } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { storageClassColumns, volumeAttributesClassColumns } from '../core/columns.ts'
import { age, byteLength, clusterMeta, immutable, invalidEach, isQualifiedName, metaUpdate } from '../core/rules.ts'
import { at, keysOf } from '../pod/maps.ts'
import { deprecatedNodeLabelMessage } from '../pod/warnings.ts'
import type { KindStrategy } from '../strategy.ts'

const maxParameters = 512
const maxParameterSize = 256 * 1024

const driver = (name: string | undefined, field: string): FieldError[] =>
  name ? invalidEach(field, name.toLowerCase(), isQualifiedName(name.toLowerCase())) : [required(field)]

function validateParameters(parameters: { [key: string]: string } | undefined, allowEmpty: boolean): FieldError[] {
  const names = keysOf(parameters)
  if (names.length > maxParameters) return [tooLong('parameters', maxParameters)]
  const errors: FieldError[] = names.includes('') ? [invalid('parameters', '', 'field can not be empty.')] : []
  const size = names.reduce((sum, name) => sum + byteLength(name) + byteLength(at(parameters, name) ?? ''), 0)
  if (size > maxParameterSize) errors.push(tooLong('parameters', maxParameterSize))
  if (!allowEmpty && names.length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'))
  return errors
}

/** reflect.DeepEqual: an empty map is not a missing one. */
const sameParameters = (o: KubeObject, old: KubeObject): FieldError[] =>
  deepEqual(o.parameters ?? null, old.parameters ?? null) ? [] : [forbidden('parameters', 'updates to parameters are forbidden.')]

function validateTerm(term: TopologySelectorTerm, field: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, r] of (term.matchLabelExpressions ?? []).entries()) {
    const path = `${field}.matchLabelExpressions[${i}]`
    if (!r.values?.length) errors.push(required(`${path}.values`))
    for (const [k, value] of (r.values ?? []).entries())
      if (r.values.indexOf(value) < k) errors.push(duplicate(`${path}.values[${k}]`, value))
    errors.push(...invalidEach(`${path}.key`, r.key ?? '', isQualifiedName(r.key ?? '')))
    if (seen.has(r.key)) errors.push(duplicate(`${path}.key`, r.key ?? ''))
    seen.add(r.key)
  }
  return errors
}

/** Two terms that select the same are one too many. */
const termText = (term: TopologySelectorTerm): string => {
  const byKey = new Map((term.matchLabelExpressions ?? []).map((r) => [r.key, [...new Set(r.values)].sort()]))
  return stableStringify([...byKey.keys()].sort().map((k) => [k, byKey.get(k)]))
}

function validateTopologies(terms: readonly TopologySelectorTerm[]): FieldError[] {
  const errors: FieldError[] = []
  const seen: string[] = []
  for (const [i, term] of terms.entries()) {
    errors.push(...validateTerm(term, `allowedTopologies[${i}]`))
    const text = termText(term)
    for (const other of seen) if (other === text) errors.push(duplicate(`allowedTopologies[${i}].matchLabelExpressions`, ''))
    // Upstream starts from a list of that many empty terms, so an empty one is a duplicate of each.
    if (text === '[]') for (let k = 0; k < terms.length; k++) errors.push(duplicate(`allowedTopologies[${i}].matchLabelExpressions`, ''))
    seen.push(text)
  }
  return errors
}

const reclaimPolicies = ['Delete', 'Retain']
const bindingModes = ['Immediate', 'WaitForFirstConsumer']

const validate = (o: KubeObject): FieldError[] => [
  ...clusterMeta(o),
  ...driver(o.provisioner, 'provisioner'),
  ...validateParameters(o.parameters, true),
  ...(o.reclaimPolicy && !reclaimPolicies.includes(o.reclaimPolicy)
    ? [notSupported('reclaimPolicy', o.reclaimPolicy, reclaimPolicies)]
    : []),
  ...(bindingModes.includes(o.volumeBindingMode) ? [] : [notSupported('volumeBindingMode', o.volumeBindingMode, bindingModes)]),
  ...validateTopologies(o.allowedTopologies ?? []),
]

const warnings = (o: KubeObject): string[] =>
  ((o.allowedTopologies ?? []) as TopologySelectorTerm[]).flatMap((term, i) =>
    (term.matchLabelExpressions ?? []).flatMap((e, k) => {
      const message = deprecatedNodeLabelMessage(e.key)
      return message === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${k}].key: ${message}`]
    }),
  )

const isDefault = (o: KubeObject): boolean =>
  ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (k) => at(o.metadata.annotations, k) === 'true',
  )

export const storageClass: KindStrategy = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.provisioner ??= ''
    o.reclaimPolicy ??= 'Delete'
    o.volumeBindingMode ??= 'Immediate'
  },
  validate,
  createWarnings: warnings,
  validateUpdate: (o, old) => [
    ...validate(o),
    ...metaUpdate(o, old),
    ...sameParameters(o, old),
    ...(o.provisioner === old.provisioner ? [] : [forbidden('provisioner', 'updates to provisioner are forbidden.')]),
    ...(o.reclaimPolicy === old.reclaimPolicy ? [] : [forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.')]),
    ...immutable('volumeBindingMode', o.volumeBindingMode, old.volumeBindingMode),
  ],
  warnings,
  columns: storageClassColumns,
  row: (o, nowMs) => [
    `${o.metadata.name ?? ''}${isDefault(o) ? ' (default)' : ''}`,
    o.provisioner ?? '',
    o.reclaimPolicy ?? 'Delete',
    o.volumeBindingMode ?? 'Immediate',
    o.allowVolumeExpansion === true,
    age(o, nowMs),
  ],
}

const validateAttributesClass = (o: KubeObject): FieldError[] => [
  ...clusterMeta(o),
  ...driver(o.driverName, 'driverName'),
  ...validateParameters(o.parameters, false),
]

export const volumeAttributesClass: KindStrategy = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.driverName ??= ''
  },
  validate: validateAttributesClass,
  validateUpdate: (o, old) => [
    ...metaUpdate(o, old),
    ...(o.driverName === old.driverName ? [] : [forbidden('driverName', 'updates to driverName are forbidden.')]),
    ...sameParameters(o, old),
    ...validateAttributesClass(o),
  ],
  columns: volumeAttributesClassColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.driverName ?? '', age(o, nowMs)],
}
