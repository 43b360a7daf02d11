// IP addresses and CIDRs as k8s.io/utils/net parses them ("sloppy": leading zeros allowed), with the errors and warnings of
// apimachinery/pkg/util/validation/ip.go (feature gate StrictIPCIDRValidation off).
import type { FieldError } from '../../../../api/field.ts'
import { invalid } from '../../../../api/field.ts'

export type IPFamily = 'IPv4' | 'IPv6'

export interface IP {
  family: IPFamily
  value: bigint
  /** Written as ::ffff:1.2.3.4; Go treats it as the IPv4 address. */
  mapped: boolean
  /** An octet was written with leading zeros. */
  leadingZeros: boolean
}

export interface CIDR {
  /** The address as written. */
  address: bigint
  /** The address with the host bits cleared. */
  network: bigint
  family: IPFamily
  prefixLength: number
  mapped: boolean
  leadingZeros: boolean
}

const bitsOf = (family: IPFamily): number => (family === 'IPv4' ? 32 : 128)
const mappedPrefix = 0xffffn << 32n

function parseIPv4(text: string): { value: bigint; leadingZeros: boolean } | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  let leadingZeros = false
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part)) return undefined
    const octet = Number(part)
    if (octet > 255) return undefined
    if (part.length > 1 && part.startsWith('0')) leadingZeros = true
    value = (value << 8n) | BigInt(octet)
  }
  return { value, leadingZeros }
}

function parseIPv6(text: string): { value: bigint; leadingZeros: boolean; dotted: boolean } | undefined {
  let rest = text
  let tail: { value: bigint; leadingZeros: boolean } | undefined
  const lastColon = rest.lastIndexOf(':')
  if (rest.includes('.')) {
    if (lastColon < 0) return undefined
    tail = parseIPv4(rest.slice(lastColon + 1))
    if (tail === undefined) return undefined
    rest = `${rest.slice(0, lastColon + 1)}${(tail.value >> 16n).toString(16)}:${(tail.value & 0xffffn).toString(16)}`
  }
  const halves = rest.split('::')
  if (halves.length > 2) return undefined
  const groupsOf = (half: string): string[] => (half === '' ? [] : half.split(':'))
  const head = groupsOf(halves[0] ?? '')
  const end = halves.length === 2 ? groupsOf(halves[1] ?? '') : []
  const missing = 8 - head.length - end.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  let value = 0n
  for (const group of [...head, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => '0'), ...end]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
    value = (value << 16n) | BigInt(Number.parseInt(group, 16))
  }
  return { value, leadingZeros: tail?.leadingZeros ?? false, dotted: tail !== undefined }
}

export function parseIP(text: string): IP | undefined {
  if (!text.includes(':')) {
    const v4 = parseIPv4(text)
    return v4 && { family: 'IPv4', value: v4.value, mapped: false, leadingZeros: v4.leadingZeros }
  }
  const v6 = parseIPv6(text)
  if (v6 === undefined) return undefined
  if (v6.value >> 32n === mappedPrefix >> 32n) {
    return { family: 'IPv4', value: v6.value & 0xffffffffn, mapped: true, leadingZeros: v6.leadingZeros }
  }
  return { family: 'IPv6', value: v6.value, mapped: false, leadingZeros: v6.leadingZeros }
}

export function formatIP(family: IPFamily, value: bigint): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn))
  // RFC 5952: the longest run of at least two zero groups, the first of equals, is shortened.
  let best = { start: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > best.length) best = { start: i, length }
    if (length > 0) i += length
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':')
  return best.start < 0 ? hex(0, 8) : `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`
}

export function parseCIDR(text: string): CIDR | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const addressText = text.slice(0, slash)
  const lengthText = text.slice(slash + 1)
  if (!/^[0-9]+$/.test(lengthText)) return undefined
  const prefixLength = Number(lengthText)
  const v6 = addressText.includes(':')
  const parsed = v6 ? parseIPv6(addressText) : parseIPv4(addressText)
  const family: IPFamily = v6 ? 'IPv6' : 'IPv4'
  if (parsed === undefined || prefixLength > bitsOf(family)) return undefined
  const hostBits = BigInt(bitsOf(family) - prefixLength)
  return {
    address: parsed.value,
    network: (parsed.value >> hostBits) << hostBits,
    family,
    prefixLength,
    mapped: v6 && parsed.value >> 32n === mappedPrefix >> 32n,
    leadingZeros: parsed.leadingZeros || (lengthText.length > 1 && lengthText.startsWith('0')),
  }
}

export const formatCIDR = (cidr: CIDR): string => `${formatIP(cidr.family, cidr.network)}/${cidr.prefixLength}`

/** The last address of the block. */
export const lastAddress = (cidr: CIDR): bigint => cidr.network + (1n << BigInt(bitsOf(cidr.family) - cidr.prefixLength)) - 1n

export const familyOf = (text: string): IPFamily => (parseIP(text)?.family === 'IPv6' ? 'IPv6' : 'IPv4')

const mustBeIP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const mustBeCIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** IsValidIPForLegacyField: values of `existing` are accepted as they are. */
export function validateIPForLegacyField(field: string, value: string, existing: readonly string[] = []): FieldError[] {
  return existing.includes(value) || parseIP(value) !== undefined ? [] : [invalid(field, value, mustBeIP)]
}

export function validateCIDRForLegacyField(field: string, value: string, existing: readonly string[] = []): FieldError[] {
  return existing.includes(value) || parseCIDR(value) !== undefined ? [] : [invalid(field, value, mustBeCIDR)]
}

/** IsValidIP: strict and in canonical form. */
export function validateIP(field: string, value: string): FieldError[] {
  const ip = parseIP(value)
  if (ip === undefined) return [invalid(field, value, mustBeIP)]
  const errors: FieldError[] = []
  if (ip.leadingZeros) errors.push(invalid(field, value, 'must not have leading 0s'))
  if (ip.mapped && !ip.leadingZeros) errors.push(invalid(field, value, 'must not be an IPv4-mapped IPv6 address'))
  const canonical = formatIP(ip.family, ip.value)
  if (errors.length === 0 && canonical !== value) errors.push(invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`))
  return errors
}

/** IsValidCIDR: strict and in canonical form. */
export function validateCIDR(field: string, value: string): FieldError[] {
  const cidr = parseCIDR(value)
  if (cidr === undefined) return [invalid(field, value, mustBeCIDR)]
  if (cidr.leadingZeros) return [invalid(field, value, 'must not have leading 0s in IP or prefix length')]
  if (cidr.mapped) return [invalid(field, value, 'must not have an IPv4-mapped IPv6 address')]
  if (cidr.address !== cidr.network) return [invalid(field, value, 'must not have bits set beyond the prefix length')]
  const canonical = formatCIDR(cidr)
  return canonical === value ? [] : [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)]
}

/** ValidateEndpointIP: refuses addresses that cannot be an endpoint. */
export function validateEndpointIP(value: string, field: string): FieldError[] {
  const ip = parseIP(value)
  if (ip === undefined) return [invalid(field, value, 'must be a valid IP address')]
  const v4 = ip.family === 'IPv4'
  const errors: FieldError[] = []
  if (ip.value === 0n) errors.push(invalid(field, value, `may not be unspecified (${value})`))
  if (v4 ? ip.value >> 24n === 127n : ip.value === 1n) {
    errors.push(invalid(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  }
  if (v4 ? ip.value >> 16n === 0xa9fen : ip.value >> 118n === 0xfe80n >> 6n) {
    errors.push(invalid(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  }
  if (v4 ? ip.value >> 8n === 0xe00000n : ip.value >> 120n === 0xffn && ((ip.value >> 112n) & 15n) === 2n) {
    errors.push(invalid(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  }
  return errors
}

export function warningsForIP(field: string, value: string): string[] {
  const ip = parseIP(value)
  if (ip === undefined) return []
  const canonical = formatIP(ip.family, ip.value)
  if (ip.leadingZeros || ip.mapped) {
    return [
      `${field}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(canonical)}`,
    ]
  }
  if (ip.family === 'IPv6' && canonical !== value) {
    return [`${field}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`]
  }
  return []
}

export function warningsForCIDR(field: string, value: string): string[] {
  const cidr = parseCIDR(value)
  if (cidr === undefined) return []
  const canonical = formatCIDR(cidr)
  const warnings: string[] = []
  if (cidr.address !== cidr.network) {
    const single = `${formatIP(cidr.family, cidr.address)}/${bitsOf(cidr.family)}`
    warnings.push(
      `${field}: CIDR value ${JSON.stringify(value)} is ambiguous in this context (should be ${JSON.stringify(canonical)} or ${JSON.stringify(single)}?)`,
    )
  }
  if (cidr.leadingZeros || cidr.mapped) {
    warnings.push(
      `${field}: non-standard CIDR value ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(canonical)}`,
    )
  }
  if (warnings.length === 0 && cidr.family === 'IPv6' && canonical !== value) {
    warnings.push(`${field}: IPv6 CIDR value ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`)
  }
  return warnings
}
