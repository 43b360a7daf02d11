// Go's []byte fields: base64 in JSON, bytes inside.
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function utf8Bytes(text: string): number[] {
  const bytes: number[] = []
  for (const char of text) {
    const c = char.codePointAt(0) ?? 0
    if (c < 0x80) bytes.push(c)
    else if (c < 0x800) bytes.push(0xc0 | (c >> 6), 0x80 | (c & 63))
    else if (c < 0x10000) bytes.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63))
    else bytes.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63))
  }
  return bytes
}

export function encodeBytes(bytes: readonly number[]): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] ?? 0
    const b = bytes[i + 1]
    const c = bytes[i + 2]
    out += alphabet.charAt(a >> 2) + alphabet.charAt(((a & 3) << 4) | ((b ?? 0) >> 4))
    out += b === undefined ? '==' : alphabet.charAt(((b & 15) << 2) | ((c ?? 0) >> 6)) + (c === undefined ? '=' : alphabet.charAt(c & 63))
  }
  return out
}

export const encodeText = (text: string): string => encodeBytes(utf8Bytes(text))

/** Well-formed base64 only; what the decoder refused never gets here. */
export function decodeBytes(base64: string): number[] {
  const bytes: number[] = []
  let bits = 0
  let n = 0
  for (const char of base64) {
    const v = alphabet.indexOf(char)
    if (v < 0) continue
    bits = ((bits << 6) | v) & 0xffffff
    n += 6
    if (n >= 8) {
      n -= 8
      bytes.push((bits >> n) & 0xff)
    }
  }
  return bytes
}

/** Bytes as text; what is not UTF-8 becomes U+FFFD. */
export function decodeText(base64: string): string {
  const bytes = decodeBytes(base64)
  let out = ''
  for (let i = 0; i < bytes.length; ) {
    const a = bytes[i] ?? 0
    const length = a < 0x80 ? 1 : a >= 0xf0 ? 4 : a >= 0xe0 ? 3 : a >= 0xc2 ? 2 : 0
    let code = length === 1 ? a : a & (0x7f >> length)
    let ok = length > 0 && i + length <= bytes.length
    for (let k = 1; ok && k < length; k++) {
      const b = bytes[i + k] ?? 0
      if ((b & 0xc0) !== 0x80) ok = false
      code = (code << 6) | (b & 63)
    }
    if (ok && code <= 0x10ffff) {
      out += String.fromCodePoint(code)
      i += length
    } else {
      out += '\uFFFD'
      i++
    }
  }
  return out
}

/** Number of bytes behind a base64 text. */
export const decodedLength = (base64: string): number => Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
