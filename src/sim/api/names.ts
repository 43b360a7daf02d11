// Generated names and identifiers: pkg/util/rand, apiserver pkg/storage/names/generate.go, google/uuid.

/** No vowels and nothing that looks like one, so that no words appear by accident. */
export const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const MAX_BASE_LENGTH = 63 - SUFFIX_LENGTH

/** rand.String: characters of the safe alphabet, drawn with `random` in [0, 1). */
export const randomString = (length: number, random: () => number): string => {
  let text = ''
  for (let i = 0; i < length; i++) text += SAFE_ALPHABET.charAt(Math.floor(random() * SAFE_ALPHABET.length))
  return text
}

/** rand.SafeEncodeString: every character by its code, modulo the alphabet. */
export const safeEncodeString = (text: string): string => {
  let out = ''
  for (let i = 0; i < text.length; i++) out += SAFE_ALPHABET.charAt(text.charCodeAt(i) % SAFE_ALPHABET.length)
  return out
}

/** SimpleNameGenerator.GenerateName: the base, cut to 58 characters, and five random ones. */
export const generateName = (base: string, random: () => number): string =>
  base.slice(0, MAX_BASE_LENGTH) + randomString(SUFFIX_LENGTH, random)

/** A version 4 UUID from `random` in [0, 1). */
export const uuid = (random: () => number): string => {
  let hex = ''
  for (let i = 0; i < 16; i++) {
    let byte = Math.floor(random() * 256)
    if (i === 6) byte = (byte & 0x0f) | 0x40
    if (i === 8) byte = (byte & 0x3f) | 0x80
    hex += byte.toString(16).padStart(2, '0')
    if (i === 3 || i === 5 || i === 7 || i === 9) hex += '-'
  }
  return hex
}
