// IP addresses and CIDR blocks: pkg/util/validation/ip.go over k8s.io/utils/net (leading zeros allowed, as the sloppy parsers do).
import { type FieldError, invalid } from '../field.ts'
import { goQuote } from '../go-text.ts'

export type IPFamily = 'IPv4' | 'IPv6'

export interface ParsedIP {
  readonly family: IPFamily
  readonly value: bigint
  /** Written as `::ffff:1.2.3.4`; Go takes it for the IPv4 address. */
  readonly mapped: boolean
  readonly leadingZeros: boolean
}

export interface ParsedCIDR {
  readonly family: IPFamily
  /** The address as written. */
  readonly address: bigint
  /** The address with the bits beyond the prefix cleared. */
  readonly network: bigint
  readonly prefixLength: number
  readonly mapped: boolean
  readonly leadingZeros: boolean
}

const MAPPED = 0xffffn
const bitsOf = (family: IPFamily): number => (family === 'IPv4' ? 32 : 128)

const parseDotted = (text: string): { value: bigint; leadingZeros: boolean } | undefined => {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  let leadingZeros = false
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part) || Number(part) > 255) return undefined
    leadingZeros ||= part.length > 1 && part.startsWith('0')
    value = (value << 8n) | BigInt(Number(part))
  }
  return { value, leadingZeros }
}

const parseColons = (text: string): { value: bigint; leadingZeros: boolean } | undefined => {
  let hex = text
  let leadingZeros = false
  if (text.includes('.')) {
    const colon = text.lastIndexOf(':')
    const tail = parseDotted(text.slice(colon + 1))
    if (colon < 0 || !tail) return undefined
    leadingZeros = tail.leadingZeros
    hex = `${text.slice(0, colon + 1)}${(tail.value >> 16n).toString(16)}:${(tail.value & 0xffffn).toString(16)}`
  }
  const halves = hex.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const head = groups[0] ?? []
  const tail = groups[1] ?? []
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  let value = 0n
  for (const group of [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
    value = (value << 16n) | BigInt(`0x${group}`)
  }
  return { value, leadingZeros }
}

export const parseIP = (text: string): ParsedIP | undefined => {
  if (!text.includes(':')) {
    const v4 = parseDotted(text)
    return v4 && { family: 'IPv4', ...v4, mapped: false }
  }
  const v6 = parseColons(text)
  if (!v6) return undefined
  if (v6.value >> 32n === MAPPED) return { family: 'IPv4', value: v6.value & 0xffffffffn, mapped: true, leadingZeros: v6.leadingZeros }
  return { family: 'IPv6', ...v6, mapped: false }
}

export const parseCIDR = (text: string): ParsedCIDR | undefined => {
  const slash = text.indexOf('/')
  const length = text.slice(slash + 1)
  if (slash < 0 || !/^[0-9]+$/.test(length)) return undefined
  const family: IPFamily = text.slice(0, slash).includes(':') ? 'IPv6' : 'IPv4'
  const parsed = family === 'IPv6' ? parseColons(text.slice(0, slash)) : parseDotted(text.slice(0, slash))
  const prefixLength = Number(length)
  if (!parsed || prefixLength > bitsOf(family)) return undefined
  const host = BigInt(bitsOf(family) - prefixLength)
  return {
    family,
    address: parsed.value,
    network: (parsed.value >> host) << host,
    prefixLength,
    mapped: family === 'IPv6' && parsed.value >> 32n === MAPPED,
    leadingZeros: parsed.leadingZeros || (length.length > 1 && length.startsWith('0')),
  }
}

/** RFC 5952: the longest run of two or more zero groups, the first of equals, is shortened. */
export const formatIP = (family: IPFamily, value: bigint): string => {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn)
  let start = -1
  let longest = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0n) length++
    if (length > longest) {
      start = i
      longest = length
    }
    i += length
  }
  const text = (part: bigint[]): string => part.map((g) => g.toString(16)).join(':')
  return start < 0 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + longest))}`
}

export const formatCIDR = (cidr: ParsedCIDR): string => `${formatIP(cidr.family, cidr.network)}/${cidr.prefixLength}`

export const ipFamilyOf = (text: string): IPFamily | undefined => parseIP(text)?.family
export const cidrContains = (cidr: ParsedCIDR, ip: ParsedIP): boolean => {
  const host = BigInt(bitsOf(cidr.family) - cidr.prefixLength)
  return cidr.family === ip.family && ip.value >> host === cidr.network >> host
}

const NOT_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const NOT_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** Fields that existed before strict parsing: what was stored before stays valid. */
export const isValidIPForLegacyField = (field: string, value: string, validOld: readonly string[] = []): FieldError[] =>
  validOld.includes(value) || parseIP(value) ? [] : [invalid(field, value, NOT_IP)]

export const isValidCIDRForLegacyField = (field: string, value: string, validOld: readonly string[] = []): FieldError[] =>
  validOld.includes(value) || parseCIDR(value) ? [] : [invalid(field, value, NOT_CIDR)]

/** New fields: one spelling only. */
export const isValidIP = (field: string, value: string): FieldError[] => {
  const ip = parseIP(value)
  if (!ip) return [invalid(field, value, NOT_IP)]
  const errors: FieldError[] = []
  if (ip.leadingZeros) errors.push(invalid(field, value, 'must not have leading 0s'))
  if (ip.mapped) errors.push(invalid(field, value, 'must not be an IPv4-mapped IPv6 address'))
  const canonical = formatIP(ip.family, ip.value)
  if (errors.length === 0 && canonical !== value) errors.push(invalid(field, value, `must be in canonical form (${goQuote(canonical)})`))
  return errors
}

export const isValidCIDR = (field: string, value: string): FieldError[] => {
  const cidr = parseCIDR(value)
  if (!cidr) return [invalid(field, value, NOT_CIDR)]
  if (cidr.leadingZeros) return [invalid(field, value, 'must not have leading 0s in IP or prefix length')]
  if (cidr.mapped) return [invalid(field, value, 'must not have an IPv4-mapped IPv6 address')]
  if (cidr.address !== cidr.network) return [invalid(field, value, 'must not have bits set beyond the prefix length')]
  const canonical = formatCIDR(cidr)
  return canonical === value ? [] : [invalid(field, value, `must be in canonical form (${goQuote(canonical)})`)]
}

/** Warnings for an address that is accepted but not written as it should be. */
export const warningsForIP = (field: string, value: string): string[] => {
  const ip = parseIP(value)
  if (!ip) return []
  const canonical = formatIP(ip.family, ip.value)
  if (ip.leadingZeros || ip.mapped)
    return [
      `${field}: non-standard IP address ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(canonical)}`,
    ]
  if (ip.family === 'IPv6' && canonical !== value)
    return [`${field}: IPv6 address ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`]
  return []
}

export const warningsForCIDR = (field: string, value: string): string[] => {
  const cidr = parseCIDR(value)
  if (!cidr) return []
  const warnings: string[] = []
  const canonical = formatCIDR(cidr)
  if (cidr.address !== cidr.network) {
    const single = `${formatIP(cidr.family, cidr.address)}/${bitsOf(cidr.family)}`
    warnings.push(
      `${field}: CIDR value ${goQuote(value)} is ambiguous in this context (should be ${goQuote(canonical)} or ${goQuote(single)}?)`,
    )
  }
  if (cidr.leadingZeros || cidr.mapped)
    warnings.push(
      `${field}: non-standard CIDR value ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(canonical)}`,
    )
  if (warnings.length === 0 && cidr.family === 'IPv6' && canonical !== value) {
    warnings.push(`${field}: IPv6 CIDR value ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`)
  }
  return warnings
}
