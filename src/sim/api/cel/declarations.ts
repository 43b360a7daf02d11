// Functions that expressions may call, with their signatures: cel-go common/stdlib, ext; apiserver pkg/cel/library.
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  objectOf,
  optionalOf,
  STRING,
  TIMESTAMP,
  type Type,
  typeOf,
  UINT,
} from './types.ts'

export interface Overload {
  readonly member: boolean
  readonly args: readonly Type[]
  readonly result: Type
  readonly params: readonly string[]
}

const param = (name: string): Type => ({ kind: 'param', name })
const NAMES: Readonly<Record<string, Type>> = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  null: NULL,
  dyn: DYN,
  duration: DURATION,
  timestamp: TIMESTAMP,
  A: param('A'),
  B: param('B'),
  URL: objectOf('kubernetes.URL'),
  Quantity: objectOf('kubernetes.Quantity'),
  Format: objectOf('kubernetes.NamedFormat'),
  Semver: objectOf('kubernetes.Semver'),
  IP: { kind: 'opaque', name: 'net.IP', params: [] },
  CIDR: { kind: 'opaque', name: 'net.CIDR', params: [] },
  Authorizer: objectOf('kubernetes.authorization.Authorizer'),
  PathCheck: objectOf('kubernetes.authorization.PathCheck'),
  GroupCheck: objectOf('kubernetes.authorization.GroupCheck'),
  ResourceCheck: objectOf('kubernetes.authorization.ResourceCheck'),
  Decision: objectOf('kubernetes.authorization.Decision'),
}
export const AUTHORIZER = NAMES.Authorizer as Type

function parseType(text: string): Type {
  const m = /^(\w+)\((.*)\)$/.exec(text)
  if (!m) {
    const found = NAMES[text]
    if (!found) throw new Error(`unknown type ${text}`)
    return found
  }
  const params = split(m[2] as string).map(parseType)
  const [first, second] = params as [Type, Type]
  return m[1] === 'list' ? listOf(first) : m[1] === 'map' ? mapOf(first, second) : m[1] === 'type' ? typeOf(first) : optionalOf(first)
}

/** At commas outside of parentheses. */
function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const c of text) {
    if (c === '(') depth++
    if (c === ')') depth--
    if (c === ',' && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += c
  }
  if (part.trim() !== '') parts.push(part.trim())
  return parts
}

const paramNames = (types: readonly Type[]): string[] => {
  const text = JSON.stringify(types)
  return ['A', 'B'].filter((p) => text.includes(`"name":"${p}"`))
}

/** `string.contains(string) bool`: a member; `size(string) int`: a function. */
function parseSignature(text: string): [name: string, overload: Overload] {
  const open = text.indexOf(
    '(',
    text.startsWith('list(') || text.startsWith('map(') || text.startsWith('optional(') ? text.indexOf(').') : 0,
  )
  const close = matching(text, open)
  const head = text.slice(0, open)
  const args = split(text.slice(open + 1, close)).map(parseType)
  const result = parseType(text.slice(close + 1).trim())
  const dot = /^[_@!-]/.test(head) || GLOBAL_DOTS.test(head) ? -1 : head.lastIndexOf('.')
  const types = dot < 0 ? args : [parseType(head.slice(0, dot)), ...args]
  return [head.slice(dot + 1), { member: dot >= 0, args: types, result, params: paramNames([...types, result]) }]
}

/** Functions whose own names have dots. */
const GLOBAL_DOTS =
  /^(?:sets|optional|format|ip|strings|lists|cel)\.(?:contains|equivalent|intersects|of|none|ofNonZeroValue|named|isCanonical|quote|range|@mapInsert|dns\w+|qualifiedName|labelValue|uri|uuid|byte|date|datetime)$/

function matching(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    if (text.charAt(i) === '(') depth++
    if (text.charAt(i) === ')' && --depth === 0) return i
  }
  throw new Error(`unbalanced ${text}`)
}

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
const RELATED = [
  ...[
    'bool(bool)',
    'int(int)',
    'int(double)',
    'int(uint)',
    'uint(uint)',
    'uint(double)',
    'uint(int)',
    'double(double)',
    'double(int)',
    'double(uint)',
    'string(string)',
    'bytes(bytes)',
  ],
  ...['timestamp(timestamp)', 'duration(duration)'],
].map((t) => t.replace(/[()]/g, ' ').trim().split(' ') as [string, string])

const SIGNATURES: readonly string[] = [
  '_?_:_(bool,A,A) A',
  '_&&_(bool,bool) bool',
  '_||_(bool,bool) bool',
  '!_(bool) bool',
  '@not_strictly_false(bool) bool',
  '_==_(A,A) bool',
  '_!=_(A,A) bool',
  '_+_(bytes,bytes) bytes',
  '_+_(double,double) double',
  '_+_(duration,duration) duration',
  '_+_(duration,timestamp) timestamp',
  '_+_(timestamp,duration) timestamp',
  '_+_(int,int) int',
  '_+_(list(A),list(A)) list(A)',
  '_+_(string,string) string',
  '_+_(uint,uint) uint',
  '_/_(double,double) double',
  '_/_(int,int) int',
  '_/_(uint,uint) uint',
  '_%_(int,int) int',
  '_%_(uint,uint) uint',
  '_*_(double,double) double',
  '_*_(int,int) int',
  '_*_(uint,uint) uint',
  '-_(double) double',
  '-_(int) int',
  '_-_(double,double) double',
  '_-_(duration,duration) duration',
  '_-_(int,int) int',
  '_-_(timestamp,duration) timestamp',
  '_-_(timestamp,timestamp) duration',
  '_-_(uint,uint) uint',
  ...['<', '<=', '>', '>='].flatMap((op) => RELATED.map(([a, b]) => `_${op}_(${a},${b}) bool`)),
  '_[_](list(A),int) A',
  '_[_](map(A,B),A) B',
  '@in(A,list(A)) bool',
  '@in(A,map(A,B)) bool',
  ...['bytes', 'list(A)', 'map(A,B)', 'string'].flatMap((t) => [`size(${t}) int`, `${t}.size() int`]),
  'type(A) type(A)',
  'bool(bool) bool',
  'bool(string) bool',
  'bytes(bytes) bytes',
  'bytes(string) bytes',
  'double(double) double',
  'double(int) double',
  'double(string) double',
  'double(uint) double',
  'duration(duration) duration',
  'duration(int) duration',
  'duration(string) duration',
  'dyn(A) dyn',
  ...['int', 'double', 'duration', 'string', 'timestamp', 'uint'].map((t) => `int(${t}) int`),
  ...['string', 'bool', 'bytes', 'double', 'duration', 'int', 'timestamp', 'uint'].map((t) => `string(${t}) string`),
  'timestamp(timestamp) timestamp',
  'timestamp(int) timestamp',
  'timestamp(string) timestamp',
  ...['uint', 'double', 'int', 'string'].map((t) => `uint(${t}) uint`),
  'string.contains(string) bool',
  'string.endsWith(string) bool',
  'matches(string,string) bool',
  'string.matches(string) bool',
  'string.startsWith(string) bool',
  ...['FullYear', 'Month', 'DayOfYear', 'DayOfMonth', 'Date', 'DayOfWeek'].flatMap((f) => [
    `timestamp.get${f}() int`,
    `timestamp.get${f}(string) int`,
  ]),
  ...['Hours', 'Minutes', 'Seconds', 'Milliseconds'].flatMap((f) => [
    `timestamp.get${f}() int`,
    `timestamp.get${f}(string) int`,
    `duration.get${f}() int`,
  ]),
  // optional types
  'optional.of(A) optional(A)',
  'optional.ofNonZeroValue(A) optional(A)',
  'optional.none() optional(A)',
  'optional(A).value() A',
  'optional(A).hasValue() bool',
  'optional(A).or(optional(A)) optional(A)',
  'optional(A).orValue(A) A',
  '_?._(dyn,string) optional(A)',
  '_?._(optional(A),string) optional(B)',
  '_[?_](list(A),int) optional(A)',
  '_[?_](optional(list(A)),int) optional(A)',
  '_[?_](map(A,B),A) optional(B)',
  '_[?_](optional(map(A,B)),A) optional(B)',
  '_[_](optional(list(A)),int) optional(A)',
  '_[_](optional(map(A,B)),A) optional(B)',
  'list(optional(A)).unwrapOpt() list(A)',
  'list(A).first() optional(A)',
  'list(A).last() optional(A)',
  // strings
  'string.charAt(int) string',
  'string.indexOf(string) int',
  'string.indexOf(string,int) int',
  'string.lastIndexOf(string) int',
  'string.lastIndexOf(string,int) int',
  'string.lowerAscii() string',
  'string.replace(string,string) string',
  'string.replace(string,string,int) string',
  'string.split(string) list(string)',
  'string.split(string,int) list(string)',
  'string.substring(int) string',
  'string.substring(int,int) string',
  'string.trim() string',
  'string.upperAscii() string',
  'string.format(list(dyn)) string',
  'strings.quote(string) string',
  'list(string).join() string',
  'list(string).join(string) string',
  // sets
  'sets.contains(list(A),list(A)) bool',
  'sets.equivalent(list(A),list(A)) bool',
  'sets.intersects(list(A),list(A)) bool',
  // lists
  ...ORDERED.map((t) => `list(${t}).isSorted() bool`),
  ...['int', 'uint', 'double', 'duration'].map((t) => `list(${t}).sum() ${t}`),
  ...ORDERED.map((t) => `list(${t}).max() ${t}`),
  ...ORDERED.map((t) => `list(${t}).min() ${t}`),
  'list(A).indexOf(A) int',
  'list(A).lastIndexOf(A) int',
  'list(A).slice(int,int) list(A)',
  'list(dyn).flatten() list(dyn)',
  'list(list(A)).flatten() list(A)',
  'list(dyn).flatten(int) list(dyn)',
  ...['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'].map((t) => `list(${t}).sort() list(${t})`),
  'lists.range(int) list(int)',
  'list(A).distinct() list(A)',
  'list(A).reverse() list(A)',
  'cel.@mapInsert(map(A,B),A,B) map(A,B)',
  'cel.@mapInsert(map(A,B),map(A,B)) map(A,B)',
  // Kubernetes
  'string.find(string) string',
  'string.findAll(string) list(string)',
  'string.findAll(string,int) list(string)',
  'url(string) URL',
  'URL.getScheme() string',
  'URL.getHost() string',
  'URL.getHostname() string',
  'URL.getPort() string',
  'URL.getEscapedPath() string',
  'URL.getQuery() map(string,list(string))',
  'isURL(string) bool',
  'ip(string) IP',
  'IP.family() int',
  'ip.isCanonical(string) bool',
  'IP.isUnspecified() bool',
  'IP.isLoopback() bool',
  'IP.isLinkLocalMulticast() bool',
  'IP.isLinkLocalUnicast() bool',
  'IP.isGlobalUnicast() bool',
  'isIP(string) bool',
  'string(IP) string',
  'cidr(string) CIDR',
  'CIDR.containsIP(string) bool',
  'CIDR.containsIP(IP) bool',
  'CIDR.containsCIDR(string) bool',
  'CIDR.containsCIDR(CIDR) bool',
  'CIDR.ip() IP',
  'CIDR.prefixLength() int',
  'CIDR.masked() CIDR',
  'isCIDR(string) bool',
  'string(CIDR) string',
  'quantity(string) Quantity',
  'isQuantity(string) bool',
  'Quantity.sign() int',
  'Quantity.isGreaterThan(Quantity) bool',
  'Quantity.isLessThan(Quantity) bool',
  'Quantity.compareTo(Quantity) int',
  'Quantity.asApproximateFloat() double',
  'Quantity.asInteger() int',
  'Quantity.isInteger() bool',
  'Quantity.add(Quantity) Quantity',
  'Quantity.add(int) Quantity',
  'Quantity.sub(Quantity) Quantity',
  'Quantity.sub(int) Quantity',
  'Format.validate(string) optional(list(string))',
  'format.named(string) optional(Format)',
  ...[
    'dns1123Label',
    'dns1123Subdomain',
    'dns1035Label',
    'qualifiedName',
    'dns1123LabelPrefix',
    'dns1123SubdomainPrefix',
    'dns1035LabelPrefix',
    'labelValue',
    'uri',
    'uuid',
    'byte',
    'date',
    'datetime',
  ].map((f) => `format.${f}() Format`),
  'semver(string) Semver',
  'semver(string,bool) Semver',
  'isSemver(string) bool',
  'isSemver(string,bool) bool',
  'Semver.isGreaterThan(Semver) bool',
  'Semver.isLessThan(Semver) bool',
  'Semver.compareTo(Semver) int',
  'Semver.major() int',
  'Semver.minor() int',
  'Semver.patch() int',
  'Authorizer.path(string) PathCheck',
  'Authorizer.group(string) GroupCheck',
  'Authorizer.serviceAccount(string,string) Authorizer',
  'GroupCheck.resource(string) ResourceCheck',
  'ResourceCheck.subresource(string) ResourceCheck',
  'ResourceCheck.namespace(string) ResourceCheck',
  'ResourceCheck.name(string) ResourceCheck',
  'PathCheck.check(string) Decision',
  'ResourceCheck.check(string) Decision',
  'Decision.errored() bool',
  'Decision.error() string',
  'Decision.allowed() bool',
  'Decision.reason() string',
  'ResourceCheck.fieldSelector(string) ResourceCheck',
  'ResourceCheck.labelSelector(string) ResourceCheck',
]

const table = new Map<string, Overload[]>()
for (const signature of SIGNATURES) {
  const [name, overload] = parseSignature(signature)
  const list = table.get(name)
  if (list) list.push(overload)
  else table.set(name, [overload])
}

export const overloadsOf = (name: string): readonly Overload[] | undefined => table.get(name)

/** Identifiers that every expression knows: the types. */
export const TYPE_NAMES: Readonly<Record<string, Type>> = {
  bool: typeOf(BOOL),
  int: typeOf(INT),
  uint: typeOf(UINT),
  double: typeOf(DOUBLE),
  string: typeOf(STRING),
  bytes: typeOf(BYTES),
  dyn: typeOf(DYN),
  null_type: typeOf(NULL),
  list: typeOf(listOf(param('A'))),
  map: typeOf(mapOf(param('A'), param('B'))),
  type: typeOf(typeOf()),
  'google.protobuf.Timestamp': typeOf(TIMESTAMP),
  'google.protobuf.Duration': typeOf(DURATION),
  optional_type: typeOf(optionalOf(param('A'))),
  'net.IP': typeOf(NAMES.IP),
  'net.CIDR': typeOf(NAMES.CIDR),
  'kubernetes.URL': typeOf(NAMES.URL),
  'kubernetes.Quantity': typeOf(NAMES.Quantity),
  'kubernetes.Semver': typeOf(NAMES.Semver),
  'kubernetes.NamedFormat': typeOf(NAMES.Format),
}
