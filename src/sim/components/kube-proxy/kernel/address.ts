// IPv4 addresses and ranges.

export const isIPv4 = (text: string): boolean => {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) <= 255)
}

export const ipToNumber = (ip: string): number => ip.split('.').reduce((n, part) => n * 256 + Number(part), 0)
export const ipToText = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.')

export interface Range {
  readonly first: number
  readonly last: number
}

/** A range of addresses from `10.0.0.0/8`, or from a single address; undefined if it is neither. */
export function rangeOf(cidr: string): Range | undefined {
  const [ip = '', bits = '32', ...more] = cidr.split('/')
  if (!isIPv4(ip) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32 || more.length > 0) return undefined
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(ipToNumber(ip) / size) * size
  return { first, last: first + size - 1 }
}

export const contains = (cidr: string, ip: string): boolean => {
  const range = rangeOf(cidr)
  if (!range || !isIPv4(ip)) return false
  const n = ipToNumber(ip)
  return n >= range.first && n <= range.last
}

/** `10.1.2.3/8` → `10.0.0.0/8`. */
export const maskedCIDR = (cidr: string): string => {
  const range = rangeOf(cidr)
  return range ? `${ipToText(range.first)}/${cidr.split('/')[1] ?? '32'}` : cidr
}
