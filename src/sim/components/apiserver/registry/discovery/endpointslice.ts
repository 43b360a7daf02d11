// discovery.k8s.io/v1 EndpointSlice (pkg/registry/discovery/endpointslice, pkg/apis/discovery/validation).
import type { FieldError } from '../../../../api/field.ts'
import { duplicate, internalError, invalid, notSupported, required, tooMany } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidIP, isValidIPForLegacyField, parseIP, warningsForIP } from '../../../../api/validation/ip.ts'
import { validateLabels } from '../../../../api/validation/labels.ts'
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameIsDNSSubdomain,
} from '../../../../api/validation/names.ts'
import { isFullyQualifiedDomainName } from '../../../../api/validation/paths.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { immutable, semanticEqual } from '../apps/common.ts'
import { validateEndpointIP } from '../service/ip.ts'
import { supportedPortProtocols } from '../service/validation.ts'
import { validateObjectMeta } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'

interface Slice {
  addressType?: string
  endpoints?: Endpoint[] | null
  ports?: Port[] | null
}
interface Endpoint {
  addresses?: string[] | null
  conditions?: object
  deprecatedTopology?: Record<string, string>
  hints?: { forZones?: { name?: string }[]; forNodes?: { name?: string }[] }
  hostname?: string
  nodeName?: string
  zone?: string
}
interface Port {
  name?: string
  port?: number
  protocol?: string
  appProtocol?: string
}

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const limits = { topologyLabels: 16, addresses: 100, ports: 20000, endpoints: 1000, zoneHints: 8, nodeHints: 8 }

const all = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

function validateAddress(type: string | undefined, addresses: string, field: string, address: string): FieldError[] {
  if (type === 'FQDN') return isFullyQualifiedDomainName(field, address)
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const syntax = type === 'IPv4' ? isValidIPForLegacyField(field, address) : isValidIP(field, address)
  if (syntax.length > 0) return syntax
  const errors = parseIP(address)?.family === type ? [] : [invalid(addresses, address, `must be an ${type} address`)]
  return [...errors, ...validateEndpointIP(address, field)]
}

function validateHints(hints: NonNullable<Endpoint['hints']>, field: string): FieldError[] {
  const errors: FieldError[] = []
  const zones = hints.forZones ?? []
  if (zones.length > limits.zoneHints) return [tooMany(`${field}.forZones`, zones.length, limits.zoneHints)]
  const seen = new Set<string>()
  for (const [i, { name = '' }] of zones.entries()) {
    if (seen.has(name)) errors.push(duplicate(`${field}.forZones[${i}].name`, name))
    seen.add(name)
    errors.push(...all(`${field}.forZones[${i}].name`, name, isValidLabelValue(name)))
  }
  const nodes = hints.forNodes ?? []
  if (nodes.length > limits.nodeHints) return [...errors, tooMany(`${field}.forNodes`, nodes.length, limits.nodeHints)]
  seen.clear()
  for (const [i, { name = '' }] of nodes.entries()) {
    if (seen.has(name)) errors.push(duplicate(`${field}.forNodes[${i}].name`, name))
    seen.add(name)
    errors.push(...all(`${field}.forNodes[${i}].name`, name, isDNS1123Subdomain(name)))
  }
  return errors
}

function validateEndpoints(endpoints: readonly Endpoint[], type: string | undefined): FieldError[] {
  if (endpoints.length > limits.endpoints) return [tooMany('endpoints', endpoints.length, limits.endpoints)]
  return endpoints.flatMap((endpoint, i) => {
    const field = `endpoints[${i}]`
    const addresses = endpoint.addresses ?? []
    const errors: FieldError[] = []
    if (addresses.length === 0) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'))
    else if (addresses.length > limits.addresses) errors.push(tooMany(`${field}.addresses`, addresses.length, limits.addresses))
    for (const [k, address] of addresses.entries()) {
      errors.push(...validateAddress(type, `${field}.addresses`, `${field}.addresses[${k}]`, address))
    }
    if (endpoint.nodeName !== undefined) errors.push(...all(`${field}.nodeName`, endpoint.nodeName, isDNS1123Subdomain(endpoint.nodeName)))
    const topology = endpoint.deprecatedTopology
    if (topology !== undefined) {
      const count = Object.keys(topology).length
      if (count > limits.topologyLabels) errors.push(tooMany(`${field}.deprecatedTopology`, count, limits.topologyLabels))
      errors.push(...validateLabels(topology, `${field}.deprecatedTopology`))
      const zone = 'topology.kubernetes.io/zone'
      if (Object.hasOwn(topology, zone)) {
        errors.push(internalError(`${field}.deprecatedTopology[${zone}]`, 'reserved key was not removed in conversion'))
      }
    }
    if (endpoint.hostname !== undefined) errors.push(...all(`${field}.hostname`, endpoint.hostname, isDNS1123Label(endpoint.hostname)))
    if (endpoint.hints !== undefined) errors.push(...validateHints(endpoint.hints, `${field}.hints`))
    return errors
  })
}

function validatePorts(ports: readonly Port[]): FieldError[] {
  if (ports.length > limits.ports) return [tooMany('ports', ports.length, limits.ports)]
  const errors: FieldError[] = []
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const field = `ports[${i}]`
    const name = port.name ?? ''
    if (name !== '') errors.push(...all(`${field}.name`, name, isDNS1123Label(name)))
    if (names.has(name)) errors.push(duplicate(`${field}.name`, name))
    names.add(name)
    if (port.protocol === undefined) errors.push(required(`${field}.protocol`))
    else if (!supportedPortProtocols.includes(port.protocol))
      errors.push(notSupported(`${field}.protocol`, port.protocol, supportedPortProtocols))
    if (port.appProtocol !== undefined) errors.push(...all(`${field}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)))
  }
  return errors
}

function validate(draft: KubeObject, old: KubeObject | undefined): FieldError[] {
  const slice = draft as KubeObject & Slice
  const errors = validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata')
  if (!slice.addressType) errors.push(required('addressType'))
  else if (!addressTypes.includes(slice.addressType)) errors.push(notSupported('addressType', slice.addressType, addressTypes))
  errors.push(...validatePorts(slice.ports ?? []))
  const endpoints = validateEndpoints(slice.endpoints ?? [], slice.addressType)
  // What an older version accepted may stay as it is.
  if (endpoints.length > 0 && old !== undefined && semanticEqual(old.endpoints, draft.endpoints)) return errors
  return [...errors, ...endpoints]
}

/** The v1 API does not write deprecatedTopology; a node name that was there before moves to nodeName. */
function dropTopology(draft: KubeObject, old: KubeObject | undefined): void {
  if (old !== undefined && semanticEqual(old.endpoints, draft.endpoints)) return
  const hostname = 'kubernetes.io/hostname'
  const previous = new Set((old?.endpoints ?? []).map((e: Endpoint) => e.deprecatedTopology?.[hostname]).filter(Boolean))
  for (const endpoint of (draft.endpoints ?? []) as Endpoint[]) {
    const node = endpoint.deprecatedTopology?.[hostname]
    if (endpoint.nodeName === undefined && node !== undefined && previous.has(node)) endpoint.nodeName = node
    delete endpoint.deprecatedTopology
  }
}

const controllers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']

function addressWarnings(draft: KubeObject): string[] {
  if (controllers.includes(draft.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return []
  return ((draft.endpoints ?? []) as Endpoint[]).flatMap((e, i) =>
    (e.addresses ?? []).flatMap((a, k) => warningsForIP(`endpoints[${i}].addresses[${k}]`, a)),
  )
}

function listWithMore(list: readonly string[]): string {
  const max = 3
  const text = list.slice(0, max).join(',')
  if (list.length > max) return `${text} + ${list.length - max} more...`
  return text || '<unset>'
}

export const endpointSlice: KindStrategy = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    draft.addressType ??= ''
    draft.endpoints ??= null
    draft.ports ??= null
    for (const endpoint of (draft.endpoints ?? []) as Endpoint[]) {
      endpoint.addresses ??= null
      endpoint.conditions ??= {}
    }
    for (const port of (draft.ports ?? []) as Port[]) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  prepareForCreate(draft) {
    draft.metadata.generation = 1
    dropTopology(draft, undefined)
  },
  validate: (draft) => validate(draft, undefined),
  createWarnings: (draft) => [
    ...(draft.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...addressWarnings(draft),
  ],
  prepareForUpdate(draft, old) {
    const same =
      draft.addressType === old.addressType &&
      semanticEqual(draft.endpoints, old.endpoints) &&
      semanticEqual(draft.ports, old.ports) &&
      semanticEqual(draft.metadata.labels, old.metadata.labels, 'labels')
    if (!same) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
    dropTopology(draft, old)
  },
  validateUpdate: (draft, old) => [...validate(draft, old), ...immutable('addressType', draft.addressType, old.addressType)],
  warnings: addressWarnings,
  columns: [
    nameColumn,
    column(
      'AddressType',
      'string',
      'addressType specifies the type of address carried by this EndpointSlice. All addresses in this slice must be the same type. This field is immutable after creation. The following address types are currently supported: * IPv4: Represents an IPv4 Address. * IPv6: Represents an IPv6 Address. * FQDN: Represents a Fully Qualified Domain Name.',
    ),
    column(
      'Ports',
      'string',
      'ports specifies the list of network ports exposed by each endpoint in this slice. Each port must have a unique name. When ports is empty, it indicates that there are no defined ports. When a port is defined with a nil port value, it indicates "all ports". Each slice may include a maximum of 100 ports.',
    ),
    column(
      'Endpoints',
      'string',
      'endpoints is a list of unique endpoints in this slice. Each slice may include a maximum of 1000 endpoints.',
    ),
    ageColumn,
  ],
  row: (object, nowMs) => [
    object.metadata.name ?? '',
    object.addressType ?? '',
    listWithMore(((object.ports ?? []) as Port[]).map((p) => (p.port !== undefined ? String(p.port) : (p.name ?? '*')))),
    listWithMore(((object.endpoints ?? []) as Endpoint[]).flatMap((e) => e.addresses ?? [])),
    translateTimestampSince(object.metadata.creationTimestamp, nowMs),
  ],
}
