// base64.RawURLEncoding.
import { base64Decode, base64Encode, utf8Decode, utf8Encode } from '../../../lib/base64.ts'

export const bytesToBase64Url = (bytes: readonly number[]): string =>
  base64Encode(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
export const toBase64Url = (text: string): string => bytesToBase64Url(utf8Encode(text))

/** undefined for what is no base64url. */
export function fromBase64Url(encoded: string): string | undefined {
  if (!/^[\w-]*$/.test(encoded) || encoded.length % 4 === 1) return undefined
  const plain = encoded.replace(/-/g, '+').replace(/_/g, '/')
  const bytes = base64Decode(plain + '='.repeat((4 - (plain.length % 4)) % 4))
  return bytes && utf8Decode(bytes)
}
