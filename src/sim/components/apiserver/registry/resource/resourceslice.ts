// resource.k8s.io/v1 ResourceSlice (pkg/registry/resource/resourceslice). Feature gates as by default: partitionable devices, taints,
// binding conditions and consumable capacity are off.
import { type FieldError, invalid, required, tooLong } from '../../../../api/field.ts'
import type { NodeSelector } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { resourceSliceColumns } from '../core/columns.ts'
import { goSlice, goString, goStruct } from '../core/gostruct.ts'
import { age, byteLength, clusterMeta, immutable, invalidEach, metaUpdate, nameIsDNSSubdomain, semanticEqual } from '../core/rules.ts'
import { validateNodeSelector } from '../pod/affinity.ts'
import type { KindStrategy } from '../strategy.ts'
import { driverName, labelName, mapItems, poolName, qualifiedName, setOf } from './rules.ts'

interface Attribute {
  int?: number
  bool?: boolean
  string?: string
  version?: string
}
interface Device {
  name?: string
  attributes?: Record<string, Attribute>
  capacity?: Record<string, { value?: unknown; requestPolicy?: unknown }>
  [field: string]: unknown
}
interface Spec {
  driver?: string
  pool?: { name?: string; generation?: number; resourceSliceCount?: number }
  nodeName?: string
  nodeSelector?: NodeSelector
  allNodes?: boolean
  devices?: Device[]
}

const GATED = [
  'taints',
  'consumesCounters',
  'nodeName',
  'nodeSelector',
  'allNodes',
  'bindingConditions',
  'bindingFailureConditions',
  'bindsToNode',
  'allowMultipleAllocations',
]

function dropDisabled(o: KubeObject): void {
  delete o.spec?.sharedCounters
  delete o.spec?.perDeviceNodeSelection
  for (const device of ((o.spec as Spec | undefined)?.devices ?? []) as Device[]) {
    for (const field of GATED) delete device[field]
    for (const capacity of Object.values(device.capacity ?? {})) delete capacity.requestPolicy
  }
}

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

const short = (value: string, field: string): FieldError[] => (byteLength(value) > 64 ? [tooLong(field, 64)] : [])
const attributeText = goStruct(['IntValue', 'int'], ['BoolValue', 'bool'], ['StringValue', 'string'], ['VersionValue', 'version'])

function attribute(a: Attribute, field: string): FieldError[] {
  const set = [a.bool, a.int, a.string, a.version].filter((v) => v !== undefined).length
  return [
    ...(a.string === undefined ? [] : short(a.string, `${field}.string`)),
    ...(a.version === undefined
      ? []
      : [
          ...(SEMVER.test(a.version)
            ? []
            : [invalid(`${field}.version`, a.version, 'must be a string compatible with semver.org spec 2.0.0')]),
          ...short(a.version, `${field}.version`),
        ]),
    ...(set === 0 ? [invalid(field, '', 'exactly one value must be specified')] : []),
    ...(set > 1 ? [{ ...invalid(field, a, 'exactly one value must be specified'), badValueText: attributeText(a) }] : []),
  ]
}

function device(d: Device, field: string): FieldError[] {
  const count = Object.keys(d.attributes ?? {}).length + Object.keys(d.capacity ?? {}).length
  return [
    ...labelName(d.name, `${field}.name`),
    ...(count > 32 ? [invalid(field, count, 'the total number of attributes and capacities must not exceed 32')] : []),
    ...mapItems(d.attributes, qualifiedName, attribute, `${field}.attributes`),
    ...mapItems(d.capacity, qualifiedName, () => [], `${field}.capacity`),
  ]
}

const ONE_OF = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
const requirementText = goSlice(goStruct(['Key', 'key', goString], ['Operator', 'operator', goString], ['Values', 'values']))
const termsText = goSlice(
  goStruct(['MatchExpressions', 'matchExpressions', requirementText], ['MatchFields', 'matchFields', requirementText]),
)

function nodes(spec: Spec): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = spec
  const terms = nodeSelector?.nodeSelectorTerms ?? []
  const set = [...(nodeName ? ['`nodeName`'] : []), ...(nodeSelector ? ['`nodeSelector`'] : []), ...(allNodes ? ['`allNodes`'] : [])]
  return [
    ...(nodeName === undefined
      ? []
      : nodeName === ''
        ? [invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string')]
        : invalidEach('spec.nodeName', nodeName, nameIsDNSSubdomain(nodeName, false))),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, false, 'spec.nodeSelector') : []),
    ...(nodeSelector && terms.length !== 1
      ? [
          {
            ...invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'),
            badValueText: termsText(terms),
          },
        ]
      : []),
    ...(allNodes === false ? [invalid('spec.allNodes', false, 'must be either unset or set to true')] : []),
    ...(set.length === 0 ? [required('spec', ONE_OF)] : []),
    ...(set.length > 1 ? [invalid('spec', `{${set.join(', ')}}`, `${ONE_OF}, but multiple fields are set`)] : []),
  ]
}

function validateSpec(o: KubeObject, old?: KubeObject): FieldError[] {
  const spec: Spec = o.spec ?? {}
  const before: Spec | undefined = old?.spec
  const pool = spec.pool ?? {}
  return [
    ...driverName(spec.driver ?? '', 'spec.driver'),
    ...poolName(pool.name, 'spec.pool.name'),
    ...((pool.resourceSliceCount ?? 0) > 0
      ? []
      : [invalid('spec.pool.resourceSliceCount', pool.resourceSliceCount ?? 0, 'must be greater than zero')]),
    ...((pool.generation ?? 0) < 0 ? [invalid('spec.pool.generation', pool.generation, 'must be greater than or equal to zero')] : []),
    ...(before
      ? [
          ...immutable('spec.pool.name', pool.name ?? '', before.pool?.name ?? ''),
          ...immutable('spec.driver', spec.driver ?? '', before.driver ?? ''),
          ...immutable('spec.nodeName', spec.nodeName, before.nodeName),
        ]
      : []),
    ...nodes(spec),
    ...setOf(spec.devices, 128, device, (d) => d.name ?? '', 'spec.devices'),
  ]
}

const warnings = (o: KubeObject): string[] => {
  const driver: string = o.spec?.driver ?? ''
  return driver === driver.toLowerCase()
    ? []
    : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
}

export const resourceSlice: KindStrategy = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  singular: 'resourceslice',
  shortNames: [],
  categories: [],
  namespaced: false,
  deleteReturnsObject: true,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.driver ??= ''
    o.spec.pool ??= {}
    o.spec.pool.name ??= ''
    o.spec.pool.generation ??= 0
    o.spec.pool.resourceSliceCount ??= 0
  },
  prepareForCreate(o) {
    o.metadata.generation = 1
    dropDisabled(o)
  },
  validate: (o) => [...clusterMeta(o), ...validateSpec(o)],
  createWarnings: warnings,
  prepareForUpdate(o, old) {
    if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
    dropDisabled(o)
  },
  validateUpdate: (o, old) => [...metaUpdate(o, old), ...validateSpec(o, old)],
  warnings,
  selectableFields: (o) => ({ 'spec.nodeName': o.spec?.nodeName ?? '', 'spec.driver': o.spec?.driver ?? '' }),
  columns: resourceSliceColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.spec?.nodeName ?? '', o.spec?.driver ?? '', o.spec?.pool?.name ?? '', age(o, nowMs)],
}
