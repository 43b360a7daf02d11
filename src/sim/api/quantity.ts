// resource.Quantity: exact decimal amounts with a suffix family (pkg/api/resource/quantity.go, suffix.go, amount.go).
import { fail, ok, type Result } from '../../lib/result.ts'

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** value × 10^scale. `text` is what the quantity prints as, if upstream kept the spelling that was parsed. */
export interface Quantity {
  readonly value: bigint
  readonly scale: number
  readonly format: QuantityFormat
  readonly text?: string
  /** Upstream holds the amount as a big decimal instead of an int64: such amounts lose their spelling when rounded. */
  readonly big?: boolean
}

export const QUANTITY_FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
export const QUANTITY_NUMERIC_ERROR = 'unable to parse numeric part of quantity'
export const QUANTITY_SUFFIX_ERROR = "unable to parse quantity's suffix"

const NANO = -9
const MAX_INT64 = (1n << 63n) - 1n
/** Beyond this many decimal places two amounts are compared by size only; no cluster has such amounts. */
const MAX_SHIFT = 2000

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))
const BINARY_SUFFIX = new Map(Object.entries(BINARY).map(([suffix, exponent]) => [exponent, suffix]))

const pow10 = (n: number): bigint => 10n ** BigInt(Math.min(Math.max(n, 0), MAX_SHIFT))
const abs = (n: bigint): bigint => (n < 0n ? -n : n)

/** value × 10^-places, rounded away from zero. */
const shiftDown = (value: bigint, places: number): { result: bigint; exact: boolean } => {
  if (value === 0n || places <= 0) return { result: value, exact: true }
  const sign = value < 0n ? -1n : 1n
  if (places > MAX_SHIFT) return { result: sign, exact: false }
  const divisor = pow10(places)
  const quotient = abs(value) / divisor
  const exact = quotient * divisor === abs(value)
  return { result: sign * (exact ? quotient : quotient + 1n), exact }
}

/** The amount at 10^scale, rounded away from zero. */
const atScale = (q: Quantity, scale: number): { result: bigint; exact: boolean } =>
  q.scale >= scale ? { result: q.value * pow10(q.scale - scale), exact: true } : shiftDown(q.value, scale - q.scale)

interface Parts {
  positive: boolean
  value: string
  num: string
  denom: string
  suffix: string
}

const PATTERN = /^([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

const split = (text: string): Parts | undefined => {
  const match = PATTERN.exec(text)
  if (!match) return undefined
  const [, sign = '', zeros = '', digits = '', denom, suffix = ''] = match
  const value = `${sign}${zeros}${digits}${denom === undefined ? '' : `.${denom}`}`
  return { positive: sign !== '-', value, num: digits === '' ? '0' : digits, denom: denom ?? '', suffix }
}

const interpret = (suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } | undefined => {
  if (Object.hasOwn(DECIMAL, suffix)) return { base: 10, exponent: DECIMAL[suffix] as number, format: 'DecimalSI' }
  if (Object.hasOwn(BINARY, suffix)) return { base: 2, exponent: BINARY[suffix] as number, format: 'BinarySI' }
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    const exponent = BigInt(suffix.slice(1).replace('+', ''))
    if (exponent > MAX_INT64 || exponent < -MAX_INT64 - 1n) return undefined
    return { base: 10, exponent: Number(BigInt.asIntN(32, exponent)), format: 'DecimalExponent' }
  }
  return undefined
}

export const tryParseQuantity = (text: string): Result<Quantity> => {
  if (text === '') return fail(QUANTITY_FORMAT_ERROR)
  if (text === '0') return ok({ value: 0n, scale: 0, format: 'DecimalSI', text })
  const parts = split(text)
  if (!parts) return fail(QUANTITY_FORMAT_ERROR)
  const unit = interpret(parts.suffix)
  if (!unit) return fail(QUANTITY_SUFFIX_ERROR)
  const { num, denom, positive } = parts
  const { base, exponent } = unit
  let { format } = unit

  const binaryFast = base === 2 && denom === ''
  const precision =
    base === 10
      ? 18 - (num.length + denom.length)
      : binaryFast
        ? 15 - num.length - Math.trunc(Math.fround((Math.fround(exponent) * 3) / 10)) - 1
        : -1
  const scale = base === 10 ? exponent - denom.length : 0
  if (precision >= 0 && scale >= NANO) {
    const shifted = num + denom
    const mantissa = BigInt(shifted)
    const amount = base === 2 ? mantissa << BigInt(exponent) : mantissa
    if (amount <= MAX_INT64) {
      const value = positive ? amount : -amount
      const keep = base === 2 ? (mantissa & 7n) !== 0n : scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
      return ok(keep ? { value, scale, format, text } : { value, scale, format })
    }
  }

  // inf.Dec.SetString wants at least one digit.
  if (!/[0-9]/.test(parts.value)) return fail(QUANTITY_NUMERIC_ERROR)
  let amount = BigInt(num + denom)
  let places = -denom.length
  if (base === 10) places += exponent
  else amount <<= BigInt(exponent)
  if (places < NANO) {
    amount = shiftDown(amount, NANO - places).result
    places = NANO
  }
  if (format === 'BinarySI') {
    const unitAmount = pow10(-places)
    if (amount > MAX_INT64 * unitAmount) amount = MAX_INT64 * unitAmount
    if (amount < unitAmount && amount > 0n) format = 'DecimalSI'
  }
  return ok({ value: positive ? amount : -amount, scale: places, format, big: true })
}

/** Throws an Error with upstream's message. */
export const parseQuantity = (text: string): Quantity => {
  const parsed = tryParseQuantity(text)
  if (parsed.value === undefined) throw new Error(parsed.error)
  return parsed.value
}

const canonicalDecimal = (q: Quantity): { digits: string; exponent: number } => {
  let amount = q.value
  let exponent = q.scale
  while (amount !== 0n && amount % 10n === 0n) {
    amount /= 10n
    exponent++
  }
  while (exponent % 3 !== 0) {
    amount *= 10n
    exponent--
  }
  return { digits: amount.toString(), exponent }
}

const formatDecimal = (q: Quantity, format: QuantityFormat): string => {
  const { digits, exponent } = canonicalDecimal(q)
  if (format === 'DecimalExponent') return exponent === 0 ? digits : `${digits}e${exponent}`
  return digits + (DECIMAL_SUFFIX.get(exponent) ?? '')
}

const canonical = (q: Quantity): string => {
  if (q.value === 0n) return '0'
  if (q.format !== 'BinarySI') return formatDecimal(q, q.format)
  const rounded = atScale(q, 0)
  // Between -1024 and 1024, and where a fraction would be lost, binary amounts are written decimally.
  if (!rounded.exact || abs(rounded.result) < 1024n) return formatDecimal(q, 'DecimalSI')
  let amount = rounded.result
  let exponent = 0
  while (abs(amount) >= 1024n && amount % 1024n === 0n) {
    amount /= 1024n
    exponent += 10
  }
  return amount.toString() + (BINARY_SUFFIX.get(exponent) ?? '')
}

/** What the API stores and prints. */
export const quantityToString = (q: Quantity): string => q.text ?? canonical(q)

/** The stored form of a spelling; throws for what is no quantity. */
export const canonicalQuantity = (text: string): string => quantityToString(parseQuantity(text))

/** Quantity.RoundUp: at most so many decimal places (scale -3 is milli), away from zero. */
export const roundUpQuantity = (q: Quantity, scale: number): Quantity => {
  if (!q.big && q.scale >= scale) return q
  if (q.scale >= scale) return { value: q.value, scale: q.scale, format: q.format, ...(q.big ? { big: true } : {}) }
  return { value: atScale(q, scale).result, scale, format: q.format, ...(q.big ? { big: true } : {}) }
}

/** Value at 10^scale as a number, rounded up (away from zero); saturates like int64. */
export const scaledValue = (q: Quantity, scale: number): number => {
  const { result } = atScale(q, scale)
  return Number(result > MAX_INT64 ? MAX_INT64 : result < -MAX_INT64 ? -MAX_INT64 : result)
}

const asQuantity = (q: Quantity | string | number | undefined | null): Quantity =>
  q === undefined || q === null ? ZERO : typeof q === 'object' ? q : parseQuantity(String(q))

const ZERO: Quantity = { value: 0n, scale: 0, format: 'DecimalSI' }
export const zeroQuantity: Quantity = ZERO

/** Quantity.Value(): whole units, rounded up. Absent counts as 0. */
export const quantityValue = (q: Quantity | string | number | undefined | null): number => scaledValue(asQuantity(q), 0)
/** Quantity.MilliValue(): thousandths, rounded up. Absent counts as 0. */
export const quantityMilliValue = (q: Quantity | string | number | undefined | null): number => scaledValue(asQuantity(q), -3)
/** Exact enough for charts; never for decisions. */
export const quantityAsNumber = (q: Quantity | string): number => {
  const quantity = asQuantity(q)
  return Number(quantity.value) * 10 ** quantity.scale
}

const align = (a: Quantity, b: Quantity): { x: bigint; y: bigint; scale: number } => {
  const scale = Math.min(a.scale, b.scale)
  return { x: a.value * pow10(a.scale - scale), y: b.value * pow10(b.scale - scale), scale }
}

export const compareQuantities = (a: Quantity | string, b: Quantity | string): number => {
  const { x, y } = align(asQuantity(a), asQuantity(b))
  return x < y ? -1 : x > y ? 1 : 0
}

/** Quantity.Add: the sum has the format of `a`, or of `b` where `a` is zero. */
export const addQuantities = (a: Quantity, b: Quantity): Quantity => {
  const { x, y, scale } = align(a, b)
  return { value: x + y, scale, format: a.value === 0n ? b.format : a.format }
}

export const subQuantities = (a: Quantity, b: Quantity): Quantity => {
  const { x, y, scale } = align(a, b)
  return { value: x - y, scale, format: a.value === 0n ? b.format : a.format }
}

export const negateQuantity = (a: Quantity): Quantity => ({ value: -a.value, scale: a.scale, format: a.format })

/** NewQuantity, NewMilliQuantity (scale -3) … */
export const newQuantity = (value: number | bigint, format: QuantityFormat = 'DecimalSI', scale = 0): Quantity => ({
  value: BigInt(value),
  scale,
  format,
})

export const isZeroQuantity = (q: Quantity | string): boolean => asQuantity(q).value === 0n
export const quantitySign = (q: Quantity | string): number => {
  const { value } = asQuantity(q)
  return value < 0n ? -1 : value > 0n ? 1 : 0
}
