// Base64 and UTF-8 without the platform's help, the same everywhere.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export const utf8Encode = (text: string): number[] => {
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return bytes
}

/** Malformed bytes become U+FFFD. */
export const utf8Decode = (bytes: readonly number[]): string => {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i++] as number
    const more =
      first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : -1
    let code = more === 0 ? first : first & (0x3f >> more)
    let ok = more >= 0
    for (let k = 0; ok && k < more; k++) {
      const next = bytes[i]
      if (next === undefined || (next & 0xc0) !== 0x80) ok = false
      else {
        code = (code << 6) | (next & 63)
        i++
      }
    }
    if (ok && (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || (more === 2 && code < 0x800) || (more === 3 && code < 0x10000)))
      ok = false
    text += ok ? String.fromCodePoint(code) : '\ufffd'
  }
  return text
}

export const base64Encode = (bytes: readonly number[]): string => {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]]
    const n = (a << 16) | ((b ?? 0) << 8) | (c ?? 0)
    text +=
      ALPHABET.charAt(n >> 18) +
      ALPHABET.charAt((n >> 12) & 63) +
      (b === undefined ? '=' : ALPHABET.charAt((n >> 6) & 63)) +
      (c === undefined ? '=' : ALPHABET.charAt(n & 63))
  }
  return text
}

/** Undefined for what is not base64. Line breaks are allowed. */
export const base64Decode = (text: string): number[] | undefined => {
  const plain = text.replace(/[\r\n]/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) return undefined
  const bytes: number[] = []
  for (let i = 0; i < plain.length; i += 4) {
    const n = [0, 1, 2, 3].reduce((sum, k) => (sum << 6) | Math.max(0, ALPHABET.indexOf(plain.charAt(i + k))), 0)
    bytes.push((n >> 16) & 255)
    if (plain.charAt(i + 2) !== '=') bytes.push((n >> 8) & 255)
    if (plain.charAt(i + 3) !== '=') bytes.push(n & 255)
  }
  return bytes
}

export const base64EncodeText = (text: string): string => base64Encode(utf8Encode(text))
export const base64DecodeText = (text: string): string | undefined => {
  const bytes = base64Decode(text)
  return bytes && utf8Decode(bytes)
}
