// What Services and their endpoints add to the address rules of api/validation/ip.ts.
import type { FieldError } from '../../../../api/field.ts'
import { invalid } from '../../../../api/field.ts'
import type { IPFamily, ParsedCIDR } from '../../../../api/validation/ip.ts'
import { parseIP } from '../../../../api/validation/ip.ts'

export { isValidCIDRForLegacyField as validateCIDRForLegacyField, parseCIDR, warningsForCIDR } from '../../../../api/validation/ip.ts'

/** The last address of the block. */
export const lastAddress = (cidr: ParsedCIDR): bigint =>
  cidr.network + (1n << BigInt((cidr.family === 'IPv4' ? 32 : 128) - cidr.prefixLength)) - 1n

/** What is not IPv6 counts as IPv4. */
export const familyOf = (text: string): IPFamily => parseIP(text)?.family ?? 'IPv4'

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
