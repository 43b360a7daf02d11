// storage.k8s.io/v1 CSIDriver, CSINode, CSIStorageCapacity (pkg/registry/storage, pkg/apis/storage/validation).
import { duplicate, type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { CSINodeDriver, LabelSelector, TokenRequest } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { csiDriverColumns, csiNodeColumns, csiStorageCapacityColumns } from '../core/columns.ts'
import { goJson, goSlice, goString, goStruct } from '../core/gostruct.ts'
import { csiDriverName } from '../core/persistentvolumesource.ts'
import { goLabelSelector } from '../core/volumestructs.ts'
import {
  age,
  byteLength,
  clusterMeta,
  immutable,
  invalidEach,
  isQualifiedName,
  metaUpdate,
  nameIsDNSSubdomain,
  namespacedMeta,
  semanticEqual,
} from '../core/rules.ts'
import { keysOf } from '../pod/maps.ts'
import { isNegative, quantityString } from '../pod/quantities.ts'
import { deprecatedNodeLabelMessage } from '../pod/warnings.ts'
import type { KindStrategy } from '../strategy.ts'

const group = { group: 'storage.k8s.io', version: 'v1', shortNames: [], categories: [] } as const
const fsGroupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType']
const lifecycleModes = ['Persistent', 'Ephemeral']

function validateTokenRequests(requests: readonly TokenRequest[], field: string): FieldError[] {
  const errors: FieldError[] = []
  const audiences = new Set<string>()
  for (const [i, r] of (requests as readonly { audience?: string; expirationSeconds?: number }[]).entries()) {
    const path = `${field}[${i}]`
    const audience = r.audience ?? ''
    if (audiences.has(audience)) {
      errors.push(duplicate(`${path}.audience`, audience))
      continue
    }
    audiences.add(audience)
    if (r.expirationSeconds === undefined) continue
    if (r.expirationSeconds < 600)
      errors.push(invalid(`${path}.expirationSeconds`, r.expirationSeconds, 'may not specify a duration less than 10 minutes'))
    if (r.expirationSeconds > 2 ** 32)
      errors.push(invalid(`${path}.expirationSeconds`, r.expirationSeconds, 'may not specify a duration larger than 2^32 seconds'))
  }
  return errors
}

function validateDriverSpec(o: KubeObject): FieldError[] {
  const spec = o.spec ?? {}
  const period: number | undefined = spec.nodeAllocatableUpdatePeriodSeconds
  const tokens: TokenRequest[] = spec.tokenRequests ?? []
  return [
    ...(fsGroupPolicies.includes(spec.fsGroupPolicy) ? [] : [notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, fsGroupPolicies)]),
    ...validateTokenRequests(tokens, 'spec.tokenRequests'),
    ...((spec.volumeLifecycleModes ?? []) as string[])
      .filter((m) => !lifecycleModes.includes(m))
      .map((m) => notSupported('spec.volumeLifecycleModes', m, lifecycleModes)),
    ...(period !== undefined && period < 10
      ? [invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds')]
      : []),
    ...(spec.serviceAccountTokenInSecrets !== undefined && tokens.length === 0
      ? [
          invalid(
            'spec.serviceAccountTokenInSecrets',
            spec.serviceAccountTokenInSecrets,
            'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
          ),
        ]
      : []),
  ]
}

const tokenWarning =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'
const tokenWarnings = (o: KubeObject): string[] =>
  o.spec?.tokenRequests?.length && o.spec.serviceAccountTokenInSecrets === undefined ? [tokenWarning] : []

export const csiDriver: KindStrategy = {
  ...group,
  kind: 'CSIDriver',
  resource: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.attachRequired ??= true
    o.spec.podInfoOnMount ??= false
    o.spec.storageCapacity ??= false
    o.spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!o.spec.volumeLifecycleModes?.length) o.spec.volumeLifecycleModes = ['Persistent']
    o.spec.requiresRepublish ??= false
    o.spec.seLinuxMount ??= false
  },
  validate: (o) => [...clusterMeta(o), ...validateDriverSpec(o)],
  createWarnings: tokenWarnings,
  prepareForUpdate(o, old) {
    if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (o, old) => [
    ...metaUpdate(o, old),
    ...validateDriverSpec(o),
    ...immutable('spec.attachedRequired', o.spec?.attachRequired, old.spec?.attachRequired),
    ...immutable('spec.volumeLifecycleModes', o.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes),
  ],
  warnings: (o, old) => (semanticEqual(o.spec?.tokenRequests, old.spec?.tokenRequests) ? [] : tokenWarnings(o)),
  columns: csiDriverColumns,
  row: (o, nowMs) => {
    const spec = o.spec ?? {}
    return [
      o.metadata.name ?? '',
      spec.attachRequired ?? true,
      spec.podInfoOnMount ?? false,
      spec.storageCapacity ?? false,
      spec.tokenRequests ? (spec.tokenRequests as { audience?: string }[]).map((t) => t.audience ?? '').join(',') : '<unset>',
      spec.requiresRepublish ?? false,
      (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
      age(o, nowMs),
    ]
  },
}

function validateNodeDriver(d: CSINodeDriver, names: Set<string>, field: string): FieldError[] {
  const errors = csiDriverName(d.name ?? '', `${field}.name`)
  if (!d.nodeID) errors.push(required(`${field}.nodeID`))
  else if (byteLength(d.nodeID) > 256) errors.push(invalid(`${field}.nodeID`, d.nodeID, 'must be 256 characters or less'))
  const count = d.allocatable?.count
  if (count !== undefined && count < 0) errors.push(invalid(`${field}.allocatable.count`, count, 'must be greater than or equal to 0'))
  if (names.has(d.name)) errors.push(duplicate(`${field}.name`, d.name))
  names.add(d.name)
  const keys = new Set<string>()
  for (const key of d.topologyKeys ?? []) {
    if (key === '') errors.push(required(field))
    if (keys.has(key)) errors.push(duplicate(field, key))
    keys.add(key)
    errors.push(...invalidEach(field, key, isQualifiedName(key)))
  }
  return errors
}

function validateNode(o: KubeObject): FieldError[] {
  const names = new Set<string>()
  return [
    ...clusterMeta(o),
    ...((o.spec?.drivers ?? []) as CSINodeDriver[]).flatMap((d, i) => validateNodeDriver(d, names, `spec.drivers[${i}]`)),
  ]
}

const nodeDriverText = goStruct(
  ['Name', 'name', goString],
  ['NodeID', 'nodeID', goString],
  ['TopologyKeys', 'topologyKeys', goSlice(goJson)],
  ['Allocatable', 'allocatable'],
)

/** A driver that stays may change nothing but what it can hold. */
function sameDrivers(o: KubeObject, old: KubeObject): FieldError[] {
  const bare = ({ allocatable: _, ...rest }: CSINodeDriver) => rest
  return ((old.spec?.drivers ?? []) as CSINodeDriver[]).flatMap((before) =>
    ((o.spec?.drivers ?? []) as CSINodeDriver[])
      .filter((d) => d.name === before.name)
      .flatMap((d) => immutable('spec.drivers', bare(d), bare(before), nodeDriverText(bare(d)))),
  )
}

export const csiNode: KindStrategy = {
  ...group,
  kind: 'CSINode',
  resource: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.drivers ??= null
    for (const d of (o.spec.drivers ?? []) as { topologyKeys?: string[] | null; name?: string; nodeID?: string }[]) {
      d.topologyKeys ??= null
      d.name ??= ''
      d.nodeID ??= ''
    }
  },
  validate: validateNode,
  validateUpdate: (o, old) => [...validateNode(o), ...validateNode(o), ...sameDrivers(o, old)],
  columns: csiNodeColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', (o.spec?.drivers ?? []).length, age(o, nowMs)],
}

const validateCapacity = (o: KubeObject, old?: KubeObject): FieldError[] => [
  ...namespacedMeta(o),
  ...validateLabelSelector(o.nodeTopology, 'nodeTopology', {
    allowInvalidLabelValueInSelector: old !== undefined && validateLabelSelector(old.nodeTopology, '').length > 0,
  }),
  ...invalidEach('storageClassName', o.storageClassName ?? '', nameIsDNSSubdomain(o.storageClassName ?? '', false)),
  ...(o.capacity !== undefined && isNegative(o.capacity)
    ? [invalid('capacity', quantityString(o.capacity), 'must be greater than or equal to 0')]
    : []),
]

function topologyWarnings(o: KubeObject): string[] {
  const selector = o.nodeTopology as LabelSelector | undefined
  return [
    ...(selector?.matchExpressions ?? []).flatMap((e, i) => {
      const message = deprecatedNodeLabelMessage(e.key)
      return message === undefined ? [] : [`nodeTopology.matchExpressions[${i}].key: ${e.key} is ${message}`]
    }),
    ...keysOf(selector?.matchLabels).flatMap((label) => {
      const message = deprecatedNodeLabelMessage(label)
      return message === undefined ? [] : [`nodeTopology.matchLabels.${label}: ${message}`]
    }),
  ]
}

export const csiStorageCapacity: KindStrategy = {
  ...group,
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  defaults(o) {
    o.storageClassName ??= ''
  },
  validate: (o) => validateCapacity(o),
  createWarnings: topologyWarnings,
  validateUpdate: (o, old) => [
    ...validateCapacity(o, old),
    ...metaUpdate(o, old),
    ...immutable('nodeTopology', o.nodeTopology, old.nodeTopology, goLabelSelector(o.nodeTopology)),
    ...immutable('storageClassName', o.storageClassName ?? '', old.storageClassName ?? ''),
  ],
  warnings: topologyWarnings,
  columns: csiStorageCapacityColumns,
  row: (o) => [o.metadata.name ?? '', o.storageClassName ?? '', o.capacity === undefined ? '<unset>' : quantityString(o.capacity)],
}
