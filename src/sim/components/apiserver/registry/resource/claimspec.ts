// The devices that a claim asks for (pkg/apis/resource/validation/validation.go, pkg/api/resourceclaimspec). Feature gates as by default:
// admin access and prioritized lists on; taints, consumable capacity and binding conditions off.
import { type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import { goInt, goJson, goSlice, goString, goStruct, goValueStruct } from '../core/gostruct.ts'
import { className, configuration, fullyQualifiedName, labelName, listOf, type Opaque, type Selector, selectors, setOf } from './rules.ts'

interface Ask {
  deviceClassName?: string
  selectors?: Selector[]
  allocationMode?: string
  count?: number
  adminAccess?: boolean
  tolerations?: unknown
  capacity?: unknown
}
export interface Request {
  name?: string
  exactly?: Ask
  firstAvailable?: (Ask & { name?: string })[]
}
export interface ClaimSpec {
  devices?: {
    requests?: Request[]
    constraints?: { requests?: string[]; matchAttribute?: string; distinctAttribute?: string }[]
    config?: (Opaque & { requests?: string[] })[]
  }
}

const asks = (spec: ClaimSpec | undefined): Ask[] =>
  (spec?.devices?.requests ?? []).flatMap((r) => [...(r.exactly ? [r.exactly] : []), ...(r.firstAvailable ?? [])])

export function claimDefaults(spec: ClaimSpec | undefined): void {
  for (const ask of asks(spec)) {
    if (!ask.allocationMode) ask.allocationMode = 'ExactCount'
    if (ask.allocationMode === 'ExactCount' && !ask.count) ask.count = 1
  }
}

/** Fields behind feature gates that are off. */
export function dropDisabledOfClaim(spec: ClaimSpec | undefined): void {
  for (const ask of asks(spec)) {
    delete ask.tolerations
    delete ask.capacity
  }
  for (const constraint of spec?.devices?.constraints ?? []) delete constraint.distinctAttribute
}

/** Request → its sub-requests, if it has any. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export const requestNames = (spec: ClaimSpec | undefined): RequestNames =>
  new Map((spec?.devices?.requests ?? []).map((r) => [r.name ?? '', new Set((r.firstAvailable ?? []).map((s) => s.name ?? ''))]))

const NOT_A_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

export function requestNameRef(name: string, field: string, names: RequestNames): FieldError[] {
  const [first = '', second, ...more] = name.split('/')
  if (more.length > 0) return [invalid(field, name, NOT_A_REQUEST)]
  const known = names.get(first)
  return [
    ...labelName(first, field),
    ...(second === undefined ? [] : labelName(second, field)),
    ...(known && (second === undefined || known.has(second)) ? [] : [invalid(field, name, NOT_A_REQUEST)]),
  ]
}

export const requestRefs = (list: readonly string[] | undefined, field: string, names: RequestNames): FieldError[] =>
  setOf(
    list,
    32,
    (name, path) => requestNameRef(name, path, names),
    (name) => name,
    field,
  )

function count(ask: Ask, field: string): FieldError[] {
  const n = ask.count ?? 0
  if (ask.allocationMode === 'All')
    return n === 0 ? [] : [invalid(`${field}.count`, n, "must not be specified when allocationMode is 'All'")]
  if (ask.allocationMode === 'ExactCount') return n > 0 ? [] : [invalid(`${field}.count`, n, 'must be greater than zero')]
  return [notSupported(`${field}.allocationMode`, ask.allocationMode ?? '', ['All', 'ExactCount'])]
}

const ask = (a: Ask, field: string): FieldError[] => [
  ...className(a.deviceClassName, `${field}.deviceClassName`),
  ...selectors(a.selectors, `${field}.selectors`),
  ...count(a, field),
]

function request(r: Request, field: string): FieldError[] {
  const errors = labelName(r.name, `${field}.name`)
  const first = r.firstAvailable?.length ? r.firstAvailable : undefined
  if (first && r.exactly)
    return [...errors, { ...invalid(field, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set') }]
  if (first)
    return [
      ...errors,
      ...setOf(
        first,
        8,
        (s, path) => [...labelName(s.name, `${path}.name`), ...ask(s, path)],
        (s) => s.name ?? '',
        `${field}.firstAvailable`,
      ),
    ]
  return r.exactly
    ? [...errors, ...ask(r.exactly, `${field}.exactly`)]
    : [...errors, required(field, 'exactly one of `exactly` or `firstAvailable` is required')]
}

export function validateClaimSpec(spec: ClaimSpec | undefined, field: string): FieldError[] {
  const devices = spec?.devices
  const names = requestNames(spec)
  return [
    ...setOf(devices?.requests, 32, request, (r) => r.name ?? '', `${field}.devices.requests`),
    ...listOf(
      devices?.constraints,
      32,
      (c, path) => [
        ...requestRefs(c.requests, `${path}.requests`, names),
        ...(c.matchAttribute === undefined
          ? [required(`${path}.matchAttribute`)]
          : fullyQualifiedName(c.matchAttribute, `${path}.matchAttribute`)),
      ],
      `${field}.devices.constraints`,
    ),
    ...listOf(
      devices?.config,
      32,
      (c, path) => [...requestRefs(c.requests, `${path}.requests`, names), ...configuration(c, path)],
      `${field}.devices.config`,
    ),
  ]
}

/** Where the claim asks for admin access, if it does. */
export function adminRequest(spec: ClaimSpec | undefined): string | undefined {
  const at = (spec?.devices?.requests ?? []).findIndex((r) => r.exactly?.adminAccess === true)
  return at < 0 ? undefined : `spec.devices.requests[${at}].adminAccess`
}

const selectorText = goSlice(goValueStruct(['CEL', 'cel', goStruct(['Expression', 'expression', goString])]))
const tail = [
  ['DeviceClassName', 'deviceClassName', goString],
  ['Selectors', 'selectors', selectorText],
  ['AllocationMode', 'allocationMode', goString],
  ['Count', 'count', goInt],
] as const
const rest = [
  ['Tolerations', 'tolerations'],
  ['Capacity', 'capacity'],
] as const

/** The spec as Go prints it. */
export const claimSpecText = goValueStruct([
  'Devices',
  'devices',
  goValueStruct(
    [
      'Requests',
      'requests',
      goSlice(
        goValueStruct(
          ['Name', 'name', goString],
          ['Exactly', 'exactly', goStruct(...tail, ['AdminAccess', 'adminAccess'], ...rest)],
          ['FirstAvailable', 'firstAvailable', goSlice(goValueStruct(['Name', 'name', goString], ...tail, ...rest))],
        ),
      ),
    ],
    [
      'Constraints',
      'constraints',
      goSlice(
        goValueStruct(
          ['Requests', 'requests', goSlice(goJson)],
          ['MatchAttribute', 'matchAttribute'],
          ['DistinctAttribute', 'distinctAttribute'],
        ),
      ),
    ],
    [
      'Config',
      'config',
      goSlice(
        goValueStruct(
          ['Requests', 'requests', goSlice(goJson)],
          ['Opaque', 'opaque', goStruct(['Driver', 'driver', goString], ['Parameters', 'parameters'])],
        ),
      ),
    ],
  ),
])
