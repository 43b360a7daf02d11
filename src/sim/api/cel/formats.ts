// String formats of schemas: kube-openapi pkg/validation/strfmt, apiextensions-apiserver pkg/apiserver/validation/formats.go.
import { getOwn } from '../../../lib/own.ts'
import { byteLength } from '../go-text.ts'
import { parseGoDuration, parseRFC3339 } from '../time.ts'
import { parseCIDR, parseIP } from '../validation/ip.ts'

const DIGITS = /^[0-9]+$/
const sloppy = (address: string): string =>
  address.includes(':')
    ? address
    : address
        .split('.')
        .map((p) => (DIGITS.test(p) ? p.replace(/^0+(?=.)/, '') : p))
        .join('.')
const uuid =
  (pattern: string) =>
  (text: string): boolean =>
    new RegExp(pattern, 'i').test(text)

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u
const CREDIT_CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$/
const COLOR = '(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])'
const RGB = new RegExp(
  `^rgb\\([\\t\\n\\f\\r ]*${COLOR}[\\t\\n\\f\\r ]*,[\\t\\n\\f\\r ]*${COLOR}[\\t\\n\\f\\r ]*,[\\t\\n\\f\\r ]*${COLOR}[\\t\\n\\f\\r ]*\\)$`,
)
const MAC =
  /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\2){6}[0-9a-f]{2}|[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\3){18}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|(?:[0-9a-f]{4}\.){3}[0-9a-f]{4}|(?:[0-9a-f]{4}\.){9}[0-9a-f]{4})$/i

const isDate = (text: string): boolean => parseRFC3339(`${text}T00:00:00Z`).error === undefined && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)

const isDateTime = (text: string): boolean => {
  const [date, time] = text.toLowerCase().split('t')
  if (text.length < 4 || time === undefined || !isDate(date as string)) return false
  const m = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(time)
  return m !== null && (m[1] as string) <= '23' && (m[2] as string) <= '59' && (m[3] as string) <= '59'
}

const isCreditCard = (text: string): boolean => {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!CREDIT_CARD.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const d = Number(digits.charAt(digits.length - 1 - i)) * (i % 2 === 1 ? 2 : 1)
    sum += d >= 10 ? (d % 10) + 1 : d
  }
  return sum % 10 === 0
}

const isISBN10 = (text: string): boolean => {
  const s = text.replace(/[\s-]+/g, '')
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(s)) return false
  let sum = 0
  for (let i = 0; i < 9; i++) sum += (i + 1) * Number(s.charAt(i))
  sum += 10 * (s.charAt(9) === 'X' ? 10 : Number(s.charAt(9)))
  return sum % 11 === 0
}

const isISBN13 = (text: string): boolean => {
  const s = text.replace(/[\s-]+/g, '')
  if (!/^[0-9]{13}$/.test(s)) return false
  let sum = 0
  for (let i = 0; i < 12; i++) sum += (i % 2 === 0 ? 1 : 3) * Number(s.charAt(i))
  return Number(s.charAt(12)) - ((10 - (sum % 10)) % 10) === 0
}

const UNITS = ['ns', 'nano', 'us', 'µs', 'micro', 'ms', 'milli', 's', 'sec', 'm', 'min', 'h', 'hr', 'hour', 'd', 'day', 'w', 'wk', 'week']
const LONG_UNITS = ['nano', 'micro', 'milli', 'sec', 'min', 'hour', 'day', 'week']
const isDuration = (text: string): boolean =>
  parseGoDuration(text).error === undefined ||
  [...text.matchAll(/[0-9]+\s*([A-Za-zµ]+)/g)].some((m) => {
    const unit = (m[1] as string).toLowerCase()
    return UNITS.includes(unit) || LONG_UNITS.some((u) => unit.startsWith(u))
  })

/** url.ParseRequestURI succeeds: absolute, or a path. */
const isRequestURI = (text: string): boolean => {
  if (text === '' || [...text].some((c) => (c.codePointAt(0) as number) < 0x20 || c === '\x7f')) return false
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)
  if (text.startsWith(':')) return false
  const rest = scheme ? text.slice(scheme[0].length) : text
  const plain = rest.split('?')[0] as string
  if (!plain.startsWith('/')) return scheme !== null
  if (/%(?![0-9a-fA-F]{2})/.test(plain)) return false
  const host = /^\/\/([^/]*)/.exec(plain)?.[1]
  if (!scheme || host === undefined) return true
  const port = /:([^:\]]*)$/.exec(host)?.[1]
  return !/[\s<>"\\^`{|}]/.test(host) && (port === undefined || /^[0-9]*$/.test(port))
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+"
const ADDRESS = `(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\]|\\\\.)*")@(?:${ATOM}(?:\\.${ATOM})*|\\[[^\\]]*\\])`
const EMAIL = new RegExp(`^\\s*(?:${ADDRESS}|(?:(?:${ATOM}|"(?:[^"\\\\]|\\\\.)*"|\\.)\\s*)*<\\s*${ADDRESS}\\s*>)\\s*$`, 'u')

const isHostname = (text: string): boolean =>
  HOSTNAME.test(text) && byteLength(text) <= 255 && text.split('.').every((p) => byteLength(p) <= 63)

/** By normalized name: without hyphens. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (t) => /^[0-9a-fA-F]{24}$/.test(t),
  uri: isRequestURI,
  email: (t) => EMAIL.test(t),
  hostname: isHostname,
  ipv4: (t) => t.includes('.') && parseIP(sloppy(t)) !== undefined,
  ipv6: (t) => t.includes(':') && parseIP(t) !== undefined,
  cidr: (t) => {
    const [address = '', bits] = t.split('/')
    return bits !== undefined && parseCIDR(`${sloppy(address)}/${bits.replace(/^0+(?=.)/, '')}`) !== undefined
  },
  mac: (t) => MAC.test(t),
  uuid: uuid('^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$'),
  uuid3: uuid('^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$'),
  uuid4: uuid('^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$'),
  uuid5: uuid('^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$'),
  isbn: (t) => isISBN10(t) || isISBN13(t),
  isbn10: isISBN10,
  isbn13: isISBN13,
  creditcard: isCreditCard,
  ssn: (t) => t.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(t),
  hexcolor: (t) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(t),
  rgbcolor: (t) => RGB.test(t),
  byte: (t) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(t),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (t) => t.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(t),
  k8slongname: (t) => t.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(t),
}

const normalized = (format: string): string => format.replaceAll('-', '')
export const isKnownFormat = (format: string): boolean => Object.hasOwn(formats, normalized(format))
export const matchesFormat = (format: string, text: string): boolean => getOwn(formats, normalized(format))?.(text) ?? true
