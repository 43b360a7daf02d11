// Kubernetes' own functions: apiserver pkg/cel/library/{urls,ip,cidr,quantity,format,semverlib,authz}.go.
import {
  addQuantities,
  compareQuantities,
  newQuantity,
  type Quantity,
  quantityAsNumber,
  quantitySign,
  subQuantities,
  tryParseQuantity,
} from '../quantity.ts'
import { formatCIDR, formatIP, type ParsedIP, parseCIDR, parseIP } from '../validation/ip.ts'
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  nameIsDNS1035Label,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
} from '../validation/names.ts'
import { matchesFormat } from './formats.ts'
import { compareSemver, parseSemver, type Semver } from './semver.ts'
import { type CelFunction, toText } from './standard.ts'
import { type AuthorizerValue, asInt, celError, celMap, isTagged, noSuchOverload, NONE, type Opaque, some, type Value } from './values.ts'
import { parseUrl, type Url } from './url.ts'

const text = (v: Value | undefined): string => (typeof v === 'string' ? v : noSuchOverload())

type Of<T extends Opaque['type']> = Extract<Opaque, { type: T }>
const opaque = <T extends Opaque['type']>(v: Value | undefined, type: T): Of<T> =>
  v !== undefined && isTagged(v) && v.cel === 'opaque' && v.type === type ? (v as Of<T>) : noSuchOverload()
const isOpaque = (v: Value | undefined, type: Opaque['type']): boolean =>
  v !== undefined && isTagged(v) && v.cel === 'opaque' && v.type === type

function toUrl(given: string): { url: Url } | { error: string } {
  const { url, error } = parseUrl(given)
  if (!url) return { error: `URL parse error during conversion from string: ${error}` }
  if (url.scheme === '' && !url.path.startsWith('/'))
    return { error: `URL parse error during conversion from string: parse ${JSON.stringify(given)}: invalid URI for request` }
  return { url }
}

const decoded = (s: string): string => {
  try {
    return decodeURIComponent(s.replaceAll('+', ' '))
  } catch {
    return s
  }
}

function queryOf(raw: string): Value {
  const found = new Map<string, string[]>()
  for (const pair of raw.split('&')) {
    if (pair === '') continue
    const eq = pair.indexOf('=')
    const key = decoded(eq < 0 ? pair : pair.slice(0, eq))
    const values = found.get(key) ?? []
    values.push(eq < 0 ? '' : decoded(pair.slice(eq + 1)))
    found.set(key, values)
  }
  return celMap([...found])
}

const portOf = (host: string): string => /:([0-9]*)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? ''
const hostnameOf = (host: string): string => (host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:[0-9]*$/, ''))

const urlPart =
  (part: (url: Url) => Value): CelFunction =>
  (u) =>
    part(opaque(u, 'kubernetes.URL').value)

/** Only the canonical ways to write an address are taken, without zones and IPv4 in IPv6. */
function strictIP(given: string): ParsedIP | string {
  const ip = given.includes('%') ? undefined : parseIP(given)
  if (!ip) return `IP Address '${given}' parse error during conversion from string: ParseAddr(${JSON.stringify(given)}): unable to parse IP`
  if (given.includes(':') && ip.family === 'IPv4') return `IPv4-mapped IPv6 address ${JSON.stringify(given)} is not allowed`
  return ip
}

const ipValue = (value: ParsedIP): Value => ({ cel: 'opaque', type: 'net.IP', value })
const toIP = (given: string): Value => {
  const ip = strictIP(given)
  return typeof ip === 'string' ? celError(ip) : ipValue(ip)
}
const ipTest =
  (v4: (value: bigint) => boolean, v6: (value: bigint) => boolean): CelFunction =>
  (ip) => {
    const { family, value } = opaque(ip, 'net.IP').value
    return family === 'IPv4' ? v4(value) : v6(value)
  }
const top = (value: bigint, bits: bigint, of: bigint): bigint => value >> (of - bits)
const ANY = 0n
const BROADCAST = 2n ** 32n - 1n
const isUnspecified = (v: bigint): boolean => v === ANY
const isLoopback4 = (v: bigint): boolean => top(v, 8n, 32n) === 127n
const isLoopback6 = (v: bigint): boolean => v === 1n
const isMulticast4 = (v: bigint): boolean => top(v, 4n, 32n) === 14n
const isMulticast6 = (v: bigint): boolean => top(v, 8n, 128n) === 255n
const isLinkLocal4 = (v: bigint): boolean => top(v, 16n, 32n) === 0xa9fen
const isLinkLocal6 = (v: bigint): boolean => top(v, 10n, 128n) === 0x3fan

const cidrValue = (given: string): Value => {
  const cidr = given.includes('%') ? undefined : parseCIDR(given)
  if (!cidr)
    return celError(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(given)}): no '/'`)
  const address = parseIP(given.split('/')[0] as string)
  return { cel: 'opaque', type: 'net.CIDR', value: { ...cidr, ...(address ? { given: address.value } : {}) } }
}

const covers = (cidr: Of<'net.CIDR'>['value'], ip: ParsedIP): boolean => {
  if (cidr.family !== ip.family) return false
  const shift = BigInt((cidr.family === 'IPv4' ? 32 : 128) - cidr.prefixLength)
  return ip.value >> shift === cidr.network >> shift
}

const quantityValue = (value: Quantity): Value => ({ cel: 'opaque', type: 'kubernetes.Quantity', value })
const q = (v: Value | undefined): Quantity => opaque(v, 'kubernetes.Quantity').value
const quantityArithmetic =
  (f: (a: Quantity, b: Quantity) => Quantity): CelFunction =>
  (a, b) =>
    quantityValue(f(q(a), typeof b === 'bigint' ? newQuantity(b) : q(b)))

const wholeOf = (v: Quantity): bigint | undefined => {
  const value =
    v.scale >= 0
      ? v.value * 10n ** BigInt(v.scale)
      : v.value % 10n ** BigInt(-v.scale) === 0n
        ? v.value / 10n ** BigInt(-v.scale)
        : undefined
  return value !== undefined && BigInt.asIntN(64, value) === value ? value : undefined
}

const FORMATS: Readonly<Record<string, (s: string) => string[]>> = {
  dns1123Label: isDNS1123Label,
  dns1123Subdomain: isDNS1123Subdomain,
  dns1035Label: isDNS1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: (s) => nameIsDNSLabel(s, true),
  dns1123SubdomainPrefix: (s) => nameIsDNSSubdomain(s, true),
  dns1035LabelPrefix: (s) => nameIsDNS1035Label(s, true),
  labelValue: isValidLabelValue,
  uri: (s) => {
    const parsed = toUrl(s)
    return 'error' in parsed ? [parsed.error.replace('URL parse error during conversion from string: ', '')] : []
  },
  uuid: (s) => (matchesFormat('uuid', s) ? [] : ['does not match the UUID format']),
  byte: (s) => (matchesFormat('byte', s) ? [] : ['invalid base64']),
  date: (s) => (matchesFormat('date', s) ? [] : ['invalid date']),
  datetime: (s) => (matchesFormat('datetime', s) ? [] : ['invalid datetime']),
}

const formatValue = (value: string): Value => ({ cel: 'opaque', type: 'kubernetes.NamedFormat', value })

const semver = (given: Value | undefined, normalize: Value | undefined): Value => {
  const value = parseSemver(text(given), normalize === true)
  return value ? { cel: 'opaque', type: 'kubernetes.Semver', value } : celError('Invalid semver')
}
const sv = (v: Value | undefined): Semver => opaque(v, 'kubernetes.Semver').value

/** Asks whether somebody may do something. */
export type Authorize = (check: AuthorizerValue & { readonly verb: string }) => {
  readonly allowed: boolean
  readonly reason: string
  readonly error?: string
}

const link = (value: AuthorizerValue): Value => ({ cel: 'opaque', type: 'kubernetes.authorization', value })
const step =
  (field: 'path' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name', is: AuthorizerValue['is']): CelFunction =>
  (a, v) =>
    link({ ...opaque(a, 'kubernetes.authorization').value, is, [field]: text(v) })

function authorizerFunctions(authorize: Authorize | undefined): Readonly<Record<string, CelFunction>> {
  const decision = (v: Value | undefined): AuthorizerValue => opaque(v, 'kubernetes.authorization').value
  return {
    path: step('path', 'PathCheck'),
    group: step('group', 'GroupCheck'),
    resource: step('resource', 'ResourceCheck'),
    subresource: step('subresource', 'ResourceCheck'),
    namespace: step('namespace', 'ResourceCheck'),
    name: step('name', 'ResourceCheck'),
    fieldSelector: (a) => a as Value,
    labelSelector: (a) => a as Value,
    serviceAccount: (a, namespace, name) => {
      const [ns, n] = [text(namespace), text(name)]
      const user = {
        name: `system:serviceaccount:${ns}:${n}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${ns}`, 'system:authenticated'],
      }
      return link({ ...opaque(a, 'kubernetes.authorization').value, user })
    },
    check: (a, verb) => {
      const asked = opaque(a, 'kubernetes.authorization').value
      const answer = authorize?.({ ...asked, verb: text(verb) }) ?? celError('no authorizer')
      return link({
        is: 'Decision',
        allowed: answer.allowed,
        reason: answer.reason,
        ...(answer.error === undefined ? {} : { error: answer.error }),
      })
    },
    errored: (d) => decision(d).error !== undefined,
    error: (d) => decision(d).error ?? '',
    allowed: (d) => decision(d).allowed === true,
    reason: (d) => decision(d).reason ?? '',
  }
}

export function kubernetesFunctions(authorize: Authorize | undefined): Readonly<Record<string, CelFunction>> {
  return {
    url: (v) => {
      const parsed = toUrl(text(v))
      return 'error' in parsed ? celError(parsed.error) : { cel: 'opaque', type: 'kubernetes.URL', value: parsed.url, text: text(v) }
    },
    isURL: (v) => 'url' in toUrl(text(v)),
    getScheme: urlPart((u) => u.scheme),
    getHost: urlPart((u) => u.host),
    getHostname: urlPart((u) => hostnameOf(u.host)),
    getPort: urlPart((u) => portOf(u.host)),
    getEscapedPath: urlPart((u) => u.path),
    getQuery: urlPart((u) => queryOf(u.rawQuery)),
    ip: (v) =>
      isOpaque(v, 'net.CIDR')
        ? ipValue({
            ...opaque(v, 'net.CIDR').value,
            value: opaque(v, 'net.CIDR').value.given ?? opaque(v, 'net.CIDR').value.network,
          } as unknown as ParsedIP)
        : toIP(text(v)),
    isIP: (v) => typeof strictIP(text(v)) !== 'string',
    'ip.isCanonical': (v) => {
      const ip = strictIP(text(v))
      return typeof ip === 'string' ? celError(ip) : formatIP(ip.family, ip.value) === v
    },
    family: (ip) => (opaque(ip, 'net.IP').value.family === 'IPv4' ? 4n : 6n),
    isUnspecified: ipTest(isUnspecified, isUnspecified),
    isLoopback: ipTest(isLoopback4, isLoopback6),
    isLinkLocalMulticast: ipTest(
      (v) => top(v, 24n, 32n) === 0xe00000n,
      (v) => top(v, 16n, 128n) === 0xff02n,
    ),
    isLinkLocalUnicast: ipTest(isLinkLocal4, isLinkLocal6),
    isGlobalUnicast: ipTest(
      (v) => v !== BROADCAST && !isUnspecified(v) && !isLoopback4(v) && !isMulticast4(v) && !isLinkLocal4(v),
      (v) => !isUnspecified(v) && !isLoopback6(v) && !isMulticast6(v) && !isLinkLocal6(v),
    ),
    cidr: (v) => cidrValue(text(v)),
    isCIDR: (v) => parseCIDR(text(v)) !== undefined && !text(v).includes('%'),
    containsIP: (c, ip) => covers(opaque(c, 'net.CIDR').value, opaque(typeof ip === 'string' ? toIP(ip) : ip, 'net.IP').value),
    containsCIDR: (c, other) => {
      const [a, b] = [opaque(c, 'net.CIDR').value, opaque(typeof other === 'string' ? cidrValue(other) : other, 'net.CIDR').value]
      return b.prefixLength >= a.prefixLength && covers(a, { ...b, value: b.network } as unknown as ParsedIP)
    },
    prefixLength: (c) => BigInt(opaque(c, 'net.CIDR').value.prefixLength),
    masked: (c) => {
      const { given: _, ...value } = opaque(c, 'net.CIDR').value
      return { cel: 'opaque', type: 'net.CIDR', value: { ...value, given: value.network } }
    },
    string: (v) => {
      if (isOpaque(v, 'net.IP')) return formatIP(opaque(v, 'net.IP').value.family, opaque(v, 'net.IP').value.value)
      if (isOpaque(v, 'net.CIDR')) {
        const { value } = opaque(v, 'net.CIDR')
        return value.given === undefined ? formatCIDR(value) : `${formatIP(value.family, value.given)}/${value.prefixLength}`
      }
      return toText(v as Value)
    },
    quantity: (v) => {
      const { value, error } = tryParseQuantity(text(v))
      return value ? quantityValue(value) : celError(error as string)
    },
    isQuantity: (v) => tryParseQuantity(text(v)).value !== undefined,
    sign: (v) => BigInt(quantitySign(q(v))),
    isGreaterThan: (a, b) => (isOpaque(a, 'kubernetes.Semver') ? compareSemver(sv(a), sv(b)) > 0 : compareQuantities(q(a), q(b)) > 0),
    isLessThan: (a, b) => (isOpaque(a, 'kubernetes.Semver') ? compareSemver(sv(a), sv(b)) < 0 : compareQuantities(q(a), q(b)) < 0),
    compareTo: (a, b) => BigInt(isOpaque(a, 'kubernetes.Semver') ? compareSemver(sv(a), sv(b)) : compareQuantities(q(a), q(b))),
    asApproximateFloat: (v) => quantityAsNumber(q(v)),
    asInteger: (v) => asInt(wholeOf(q(v)) ?? celError('cannot convert value to integer')),
    isInteger: (v) => wholeOf(q(v)) !== undefined,
    add: quantityArithmetic(addQuantities),
    sub: quantityArithmetic(subQuantities),
    'format.named': (v) => (Object.hasOwn(FORMATS, text(v)) ? some(formatValue(text(v))) : NONE),
    ...Object.fromEntries(Object.keys(FORMATS).map((name) => [`format.${name}`, () => formatValue(name)] as const)),
    validate: (f, v) => {
      const problems = FORMATS[opaque(f, 'kubernetes.NamedFormat').value]?.(text(v)) ?? []
      return problems.length === 0 ? NONE : some(problems)
    },
    semver,
    isSemver: (v, normalize) => parseSemver(text(v), normalize === true) !== undefined,
    major: (v) => sv(v).major,
    minor: (v) => sv(v).minor,
    patch: (v) => sv(v).patch,
    ...authorizerFunctions(authorize),
  } as Readonly<Record<string, CelFunction>>
}
