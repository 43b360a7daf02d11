// core/v1 Endpoints (pkg/registry/core/endpoint, ValidateEndpoints).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, notSupported, required } from '../../../../api/field.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidIPForLegacyField, warningsForIP } from '../../../../api/validation/ip.ts'
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortNum,
  nameIsDNSSubdomain,
} from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { semanticEqual } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { validateEndpointIP } from './ip.ts'
import { supportedPortProtocols } from './validation.ts'

const all = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

function validateAddress(address: EndpointAddress, field: string): FieldError[] {
  const errors = isValidIPForLegacyField(`${field}.ip`, address.ip ?? '')
  if (address.hostname) errors.push(...all(`${field}.hostname`, address.hostname, isDNS1123Label(address.hostname)))
  if (address.nodeName !== undefined) errors.push(...all(`${field}.nodeName`, address.nodeName, isDNS1123Subdomain(address.nodeName)))
  errors.push(...validateEndpointIP(address.ip ?? '', `${field}.ip`))
  return errors
}

function validatePort(port: EndpointPort, requireName: boolean, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (port.name) errors.push(...all(`${field}.name`, port.name, isDNS1123Label(port.name)))
  else if (requireName) errors.push(required(`${field}.name`))
  errors.push(...all(`${field}.port`, port.port ?? 0, isValidPortNum(port.port ?? 0)))
  if (!port.protocol) errors.push(required(`${field}.protocol`))
  else if (!supportedPortProtocols.includes(port.protocol))
    errors.push(notSupported(`${field}.protocol`, port.protocol, supportedPortProtocols))
  if (port.appProtocol !== undefined) errors.push(...all(`${field}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)))
  return errors
}

function validateSubsets(subsets: readonly EndpointSubset[]): FieldError[] {
  return subsets.flatMap((subset, i) => {
    const field = `subsets[${i}]`
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset
    const errors: FieldError[] = []
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      errors.push(required(field, 'must specify `addresses` or `notReadyAddresses`'))
    for (const [k, address] of addresses.entries()) errors.push(...validateAddress(address, `${field}.addresses[${k}]`))
    for (const [k, address] of notReadyAddresses.entries()) errors.push(...validateAddress(address, `${field}.notReadyAddresses[${k}]`))
    for (const [k, port] of ports.entries()) errors.push(...validatePort(port, ports.length > 1, `${field}.ports[${k}]`))
    return errors
  })
}

function validate(draft: KubeObject, old: KubeObject | undefined): FieldError[] {
  const errors = validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata')
  const subsets = validateSubsets(draft.subsets ?? [])
  // What an older version accepted may stay as it is.
  if (subsets.length > 0 && old !== undefined && semanticEqual(old.subsets, draft.subsets)) return errors
  return [...errors, ...subsets]
}

function warnings(draft: KubeObject): string[] {
  if (draft.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
  return (draft.subsets ?? []).flatMap((subset: EndpointSubset, i: number) => [
    ...(subset.addresses ?? []).flatMap((a, k) => warningsForIP(`subsets[${i}].addresses[${k}].ip`, a.ip ?? '')),
    ...(subset.notReadyAddresses ?? []).flatMap((a, k) => warningsForIP(`subsets[${i}].notReadyAddresses[${k}].ip`, a.ip ?? '')),
  ])
}

const maxShown = 3

function formatEndpoints(subsets: readonly EndpointSubset[]): string {
  if (subsets.length === 0) return '<none>'
  const list: string[] = []
  let count = 0
  for (const { addresses = [], ports = [] } of subsets) {
    const shown = ports.length === 0 ? [undefined] : ports.map((p) => p.port ?? 0)
    for (const port of shown) {
      count += addresses.length
      for (const { ip = '' } of addresses) {
        const host = ip.includes(':') ? `[${ip}]` : ip
        list.push(port === undefined ? ip : `${host}:${port}`)
      }
    }
  }
  const text = list.slice(0, maxShown).join(',')
  return list.length > maxShown ? `${text} + ${count - maxShown} more...` : text
}

export const endpoints: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    for (const subset of draft.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate: (draft) => validate(draft, undefined),
  createWarnings: warnings,
  validateUpdate: (draft, old) => [...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'), ...validate(draft, old)],
  warnings,
  columns: [
    nameColumn,
    column(
      'Endpoints',
      'string',
      'The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service.',
    ),
    ageColumn,
  ],
  row: (object, nowMs) => [
    object.metadata.name ?? '',
    formatEndpoints(object.subsets ?? []),
    translateTimestampSince(object.metadata.creationTimestamp, nowMs),
  ],
}
