// v1 Node with its status door (pkg/registry/core/node, ValidateNode, ValidateNodeUpdate).
import { duplicate, type FieldError, forbidden, internalError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { NodeStatus, Taint } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { goStruct, goString } from './gostruct.ts'
import { at, keysOf } from '../pod/maps.ts'
import { validateResourceQuantityValue } from '../pod/resources.ts'
import { parseCIDR, validateCIDRForLegacyField, warningsForCIDR } from '../service/ip.ts'
import type { KindStrategy } from '../strategy.ts'
import { nodeColumns } from './columns.ts'
import { roundUpResourceList } from './resourcelist.ts'
import { age, byteLength, clusterMeta, invalidEach, isQualifiedName, isValidLabelValue, keep, metaUpdate } from './rules.ts'

const taintText = goStruct(
  ['Key', 'key', goString],
  ['Value', 'value', goString],
  ['Effect', 'effect', goString],
  ['TimeAdded', 'timeAdded'],
)
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const nodeInfoFields = [
  'machineID',
  'systemUUID',
  'bootID',
  'kernelVersion',
  'osImage',
  'containerRuntimeVersion',
  'kubeletVersion',
  'kubeProxyVersion',
  'operatingSystem',
  'architecture',
] as const

export function validateNodeTaints(taints: readonly Taint[], field: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, taint] of taints.entries()) {
    const path = `${field}[${i}]`
    errors.push(...invalidEach(`${path}.key`, taint.key ?? '', isQualifiedName(taint.key ?? '')))
    const value = isValidLabelValue(taint.value ?? '')
    if (value.length > 0) errors.push(invalid(`${path}.value`, taint.value, value.join(';')))
    if (!taint.effect) errors.push(required(`${path}.effect`))
    else if (!effects.includes(taint.effect)) errors.push(notSupported(`${path}.effect`, taint.effect, effects))
    const pair = `${taint.effect ?? ''}\n${taint.key ?? ''}`
    if (seen.has(pair)) {
      errors.push({ ...duplicate(path, taint), badValueText: taintText(taint), detail: 'taints must be unique by key and effect pair' })
      continue
    }
    seen.add(pair)
  }
  return errors
}

function validateResources(status: NodeStatus): FieldError[] {
  const list = (name: string, resources: { [key: string]: string } | undefined): FieldError[] =>
    keysOf(resources).flatMap((k) => validateResourceQuantityValue(k, at(resources, k) ?? '0', `status.${name}.${k}`))
  return [...list('capacity', status.capacity), ...list('allocatable', status.allocatable)]
}

function validateDeclaredFeatures(features: readonly string[]): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, name] of features.entries()) {
    const path = `status.declaredFeatures[${i}]`
    if (byteLength(name) > 253)
      errors.push(invalid(path, name, `invalid feature name ${JSON.stringify(name)}: must be no more than 253 characters`))
    else if (!/^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/.test(name)) {
      errors.push(
        invalid(
          path,
          name,
          `invalid feature name ${JSON.stringify(name)}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
        ),
      )
    }
    const next = features[i + 1]
    if (next === undefined) continue
    if (next === name) errors.push(duplicate(`status.declaredFeatures[${i + 1}]`, next))
    else if (name > next) errors.push(invalid(`status.declaredFeatures[${i + 1}]`, next, 'list must be sorted alphabetically'))
  }
  return errors
}

function validatePodCIDRs(cidrs: readonly string[]): FieldError[] {
  const field = 'spec.podCIDRs'
  const errors = cidrs.flatMap((cidr, i) => validateCIDRForLegacyField(`${field}[${i}]`, cidr))
  if (cidrs.length < 2) return errors
  const families: string[] = []
  for (const [i, cidr] of cidrs.entries()) {
    const parsed = parseCIDR(cidr)
    if (parsed === undefined) {
      errors.push(
        internalError(
          field,
          `invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[${i}]: <nil> (invalid CIDR address: ${cidr})`,
        ),
      )
      break
    }
    families.push(parsed.family)
  }
  const dualStack = families.length === cidrs.length && families.includes('IPv4') && families.includes('IPv6')
  if (!dualStack || cidrs.length > 2) errors.push(invalid(field, cidrs, 'may specify no more than one CIDR for each IP family'))
  return errors
}

function validate(o: KubeObject): FieldError[] {
  const swap = o.status?.nodeInfo?.swap?.capacity
  return [
    ...clusterMeta(o),
    ...validateNodeTaints(o.spec?.taints ?? [], 'metadata.taints'),
    ...validateResources(o.status ?? {}),
    ...(typeof swap === 'number' && swap <= 0 ? [invalid('metadata.nodeSwapStatus.capacity', swap, 'must be greater than zero')] : []),
    ...validateDeclaredFeatures(o.status?.declaredFeatures ?? []),
    ...validatePodCIDRs(o.spec?.podCIDRs ?? []),
  ]
}

function validateUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = [
    ...metaUpdate(o, old),
    ...validateResources(o.status ?? {}),
    ...validateDeclaredFeatures(o.status?.declaredFeatures ?? []),
  ]
  const addresses = new Set<string>()
  for (const [i, a] of ((o.status?.addresses ?? []) as { type?: string; address?: string }[]).entries()) {
    const key = `${a.type ?? ''}\n${a.address ?? ''}`
    if (addresses.has(key)) {
      const text = goStruct(['Type', 'type', goString], ['Address', 'address', goString])(a)
      errors.push({ ...duplicate(`status.addresses[${i}]`, a), badValueText: text })
    }
    addresses.add(key)
  }
  const [before, after]: string[][] = [old.spec?.podCIDRs ?? [], o.spec?.podCIDRs ?? []]
  if (before && after && before.length > 0) {
    const text = 'node updates may not change podCIDR except from "" to valid'
    if (before.length !== after.length) errors.push(forbidden('spec.podCIDRs', text))
    else for (const [i, cidr] of before.entries()) if (cidr !== after[i]) errors.push(forbidden('spec.podCIDRs', text))
  }
  if (old.spec?.providerID && old.spec.providerID !== o.spec?.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  errors.push(...validateNodeTaints(o.spec?.taints ?? [], 'metadata.taints'))
  if ((old.spec?.externalID ?? '') !== (o.spec?.externalID ?? '')) errors.push(forbidden('spec.externalID', 'may not be updated'))
  return errors
}

const warnings = (o: KubeObject): string[] => [
  ...(o.spec?.configSource ? ['spec.configSource: the feature is removed'] : []),
  ...(o.spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
  ...((o.spec?.podCIDRs ?? []) as string[]).flatMap((cidr, i) => warningsForCIDR(`spec.podCIDRs[${i}]`, cidr)),
]

/** Conversion: podCIDR is the first of podCIDRs, and wins over a different one. */
function mergePodCIDR(spec: { podCIDR?: string; podCIDRs?: string[] }): void {
  if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR]
  else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0]
}

function roles(o: KubeObject): string {
  const found = new Set<string>()
  for (const key of keysOf(o.metadata.labels)) {
    const role = key.startsWith('node-role.kubernetes.io/')
      ? key.slice('node-role.kubernetes.io/'.length)
      : key === 'kubernetes.io/role'
        ? at(o.metadata.labels, key)
        : ''
    if (role) found.add(role)
  }
  return [...found].sort().join(',') || '<none>'
}

function statusText(o: KubeObject): string {
  const conditions = (o.status?.conditions ?? []) as { type: string; status: string }[]
  const ready = conditions.findLast((c) => c.type === 'Ready')
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return o.spec?.unschedulable ? `${text},SchedulingDisabled` : text
}

const address = (o: KubeObject, type: string): string =>
  ((o.status?.addresses ?? []) as { type: string; address: string }[]).find((a) => a.type === type)?.address ?? '<none>'

export const node: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    mergePodCIDR(o.spec)
    const status = o.status as NodeStatus & {
      daemonEndpoints: { kubeletEndpoint?: { Port?: number } }
      nodeInfo: { [key: string]: unknown }
    }
    roundUpResourceList(status.capacity)
    roundUpResourceList(status.allocatable)
    if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity }
    // Structs that are always written, with their zero values.
    status.daemonEndpoints ??= {} as never
    status.daemonEndpoints.kubeletEndpoint ??= {} as never
    status.daemonEndpoints.kubeletEndpoint.Port ??= 0
    status.nodeInfo ??= {} as never
    for (const field of nodeInfoFields) status.nodeInfo[field] ??= ''
    for (const condition of (o.status.conditions ?? []) as { lastHeartbeatTime?: string | null; lastTransitionTime?: string | null }[]) {
      condition.lastHeartbeatTime ??= null
      condition.lastTransitionTime ??= null
    }
  },
  prepareForCreate(o) {
    delete o.spec.configSource
    delete o.status.config
    // Behind a feature gate that is off.
    delete o.status.declaredFeatures
  },
  validate,
  createWarnings: warnings,
  prepareForUpdate(o, old) {
    keep(o, old, 'status')
    if (!old.spec?.configSource) delete o.spec.configSource
  },
  validateUpdate: (o, old) => [...validate(o), ...validateUpdate(o, old)],
  warnings,
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old) {
        keep(o, old, 'spec')
        if (!old.status?.config) delete o.status.config
      },
      validateUpdate,
    },
    proxy: { does: 'handler', kind: 'NodeProxyOptions', group: '', version: 'v1', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  },
  selectableFields: (o) => ({ 'spec.unschedulable': String(o.spec?.unschedulable === true) }),
  columns: nodeColumns,
  row: (o, nowMs) => {
    const info = o.status?.nodeInfo ?? {}
    return [
      o.metadata.name ?? '',
      statusText(o),
      roles(o),
      age(o, nowMs),
      info.kubeletVersion ?? '',
      address(o, 'InternalIP'),
      address(o, 'ExternalIP'),
      info.osImage || '<unknown>',
      info.kernelVersion || '<unknown>',
      info.containerRuntimeVersion || '<unknown>',
    ]
  },
}
