// What was allocated for a claim, who uses it, and what the drivers report (pkg/apis/resource/validation/validation.go).
import { type FieldError, forbidden, invalid, notSupported, required, tooLong, tooMany } from '../../../../api/field.ts'
import { stableStringify } from '../../../../../lib/stringify.ts'
import type { Condition, NodeSelector } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { formatIP, parseCIDR, parseIP } from '../../../../api/validation/ip.ts'
import { validateConditions } from '../../../../api/validation/conditions.ts'
import { goString } from '../core/gostruct.ts'
import { byteLength, immutable, metaUpdate } from '../core/rules.ts'
import { validateNodeSelector } from '../pod/affinity.ts'
import type { RegistryView } from '../strategy.ts'
import { type RequestNames, requestNameRef, requestNames, requestRefs } from './claimspec.ts'
import { adminAccess, configuration, driverName, labelName, listOf, type Opaque, poolName, rawExtension, setOf } from './rules.ts'

interface Device {
  driver?: string
  pool?: string
  device?: string
}
interface Result extends Device {
  request?: string
  adminAccess?: boolean
  bindingConditions?: unknown
  bindingFailureConditions?: unknown
  shareID?: unknown
  consumedCapacity?: unknown
}
interface DeviceStatus extends Device {
  shareID?: unknown
  conditions?: Condition[]
  data?: unknown
  networkData?: { interfaceName?: string; ips?: string[]; hardwareAddress?: string }
}
interface ClaimStatus {
  allocation?: {
    devices?: { results?: Result[]; config?: (Opaque & { source?: string; requests?: string[] })[] }
    nodeSelector?: NodeSelector
  }
  reservedFor?: { apiGroup?: string; resource?: string; name?: string; uid?: string }[]
  devices?: DeviceStatus[]
}

const statusOf = (o: KubeObject): ClaimStatus => o.status ?? {}
const results = (status: ClaimStatus): Result[] => status.allocation?.devices?.results ?? []
const idOf = (d: Device): string => `${d.driver ?? ''}/${d.pool ?? ''}/${d.device ?? ''}`

/** Fields behind feature gates that are off, and reports about devices that are no longer allocated. */
export function prepareClaimStatus(o: KubeObject, old: KubeObject): void {
  const status = statusOf(o)
  for (const r of results(status)) {
    delete r.bindingConditions
    delete r.bindingFailureConditions
    delete r.shareID
    delete r.consumedCapacity
  }
  for (const d of status.devices ?? []) delete d.shareID
  const still = new Set(results(status).map(idOf))
  const gone = new Set(
    results(statusOf(old))
      .map(idOf)
      .filter((id) => !still.has(id)),
  )
  if (!status.devices) return
  status.devices = status.devices.filter((d) => !gone.has(idOf(d)))
  if (status.devices.length === 0) delete status.devices
}

/** SharedDeviceID as Go prints it. */
const deviceText = (d: Device): string =>
  `{"Driver":${goString(d.driver)},"Pool":${goString(d.pool)},"Device":${goString(d.device)},"ShareID":""}`

const result = (r: Result, field: string, names: RequestNames): FieldError[] => [
  ...requestNameRef(r.request ?? '', `${field}.request`, names),
  ...driverName(r.driver ?? '', `${field}.driver`),
  ...poolName(r.pool, `${field}.pool`),
  ...labelName(r.device, `${field}.device`),
]

const SOURCES = ['FromClaim', 'FromClass']
const source = (value: string | undefined, field: string): FieldError[] =>
  !value ? [required(field)] : SOURCES.includes(value) ? [] : [notSupported(field, value, SOURCES)]

const allocation = (a: NonNullable<ClaimStatus['allocation']>, field: string, names: RequestNames): FieldError[] => [
  ...listOf(a.devices?.results, 32, (r, path) => result(r, path, names), `${field}.devices.results`),
  ...listOf(
    a.devices?.config,
    64,
    (c, path) => [...source(c.source, `${path}.source`), ...requestRefs(c.requests, `${path}.requests`, names), ...configuration(c, path)],
    `${field}.devices.config`,
  ),
  ...(a.nodeSelector ? validateNodeSelector(a.nodeSelector, false, `${field}.nodeSelector`) : []),
]

/** IsValidInterfaceAddress. */
function interfaceAddress(value: string, field: string): FieldError[] {
  const cidr = parseCIDR(value)
  const ip = parseIP(value.slice(0, value.indexOf('/')))
  if (!cidr || !ip) return [invalid(field, value, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')]
  const canonical = `${formatIP(ip.family, ip.value)}/${cidr.prefixLength}`
  return value === canonical ? [] : [invalid(field, value, `must be in canonical form ("${canonical}")`)]
}

function networkData(data: NonNullable<DeviceStatus['networkData']>, field: string): FieldError[] {
  return [
    ...(byteLength(data.interfaceName ?? '') > 256 ? [tooLong(`${field}.interfaceName`, 256)] : []),
    ...(byteLength(data.hardwareAddress ?? '') > 128 ? [tooLong(`${field}.hardwareAddress`, 128)] : []),
    ...setOf(data.ips, 16, interfaceAddress, (ip) => ip, `${field}.ips`),
  ]
}

const deviceStatus = (d: DeviceStatus, field: string, allocated: ReadonlySet<string>): FieldError[] => [
  ...driverName(d.driver ?? '', `${field}.driver`),
  ...poolName(d.pool, `${field}.pool`),
  ...labelName(d.device, `${field}.device`),
  ...(allocated.has(idOf(d)) ? [] : [{ ...invalid(field, null, 'must be an allocated device in the claim'), badValueText: deviceText(d) }]),
  ...((d.conditions?.length ?? 0) > 8 ? [tooMany(`${field}.conditions`, d.conditions?.length ?? 0, 8)] : []),
  ...validateConditions(d.conditions, `${field}.conditions`),
  ...(d.data === undefined || d.data === null ? [] : rawExtension(d.data, `${field}.data`)),
  ...(d.networkData ? networkData(d.networkData, `${field}.networkData`) : []),
]

function reserved(status: ClaimStatus, old: ClaimStatus, deleted: boolean): FieldError[] {
  if (!status.reservedFor?.length) return []
  if (!status.allocation) return [forbidden('status.reservedFor', 'may not be specified when `allocated` is not set')]
  if (!deleted) return []
  const before = new Set((old.reservedFor ?? []).map(stableStringify))
  return status.reservedFor.every((r) => before.has(stableStringify(r)))
    ? []
    : [forbidden('status.reservedFor', 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')]
}

const admin = (status: ClaimStatus): string | undefined => {
  const at = results(status).findIndex((r) => r.adminAccess === true)
  return at < 0 ? undefined : `status.allocation.devices.results[${at}].adminAccess`
}

export function validateClaimStatus(o: KubeObject, older: KubeObject, view: RegistryView): FieldError[] {
  const status = statusOf(o)
  const old = statusOf(older)
  const allocated = new Set(results(status).map(idOf))
  return [
    ...(admin(old) ? [] : adminAccess(admin(status), o.metadata.namespace ?? '', view)),
    ...metaUpdate(o, older),
    ...setOf(
      status.reservedFor,
      256,
      (r, path) => [
        ...(r.resource ? [] : [required(`${path}.resource`)]),
        ...(r.name ? [] : [required(`${path}.name`)]),
        ...(r.uid ? [] : [required(`${path}.uid`)]),
      ],
      (r) => r.uid ?? '',
      'status.reservedFor',
    ),
    ...setOf(status.devices, Number.POSITIVE_INFINITY, (d, path) => deviceStatus(d, path, allocated), idOf, 'status.devices'),
    ...reserved(status, old, o.metadata.deletionTimestamp !== undefined),
    ...(status.allocation
      ? old.allocation
        ? immutable('status.allocation', status.allocation, old.allocation)
        : allocation(status.allocation, 'status.allocation', requestNames(o.spec))
      : []),
  ]
}
