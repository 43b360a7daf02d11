// Legacy tokens without an end (pkg/serviceaccount/legacy.go), signed as with the cluster's service account key, which this process and the
// API servers have in common. The signature stands for RS256; it is not cryptography.
import { base64Encode, utf8Encode } from '../../../../lib/base64.ts'
import { hash32, mix32 } from '../../../engine/random.ts'

export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
const SIGNATURE_BYTES = 256
const KEY_ID = 'orrery-service-account-signer'

const url = (bytes: readonly number[]): string => base64Encode(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

function keyedHash(text: string, length: number): number[] {
  const bytes: number[] = []
  const [a, b] = [hash32(text), hash32(text, 0x9e3779b9)]
  for (let i = 0; bytes.length < length; i++) {
    const word = mix32(a ^ i, b + i)
    bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24)
  }
  return bytes.slice(0, length)
}

export function legacyToken(namespace: string, account: { name: string; uid: string }, secret: string): string {
  const claims = {
    iss: LEGACY_ISSUER,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secret,
    'kubernetes.io/serviceaccount/service-account.name': account.name,
    'kubernetes.io/serviceaccount/service-account.uid': account.uid,
    sub: `system:serviceaccount:${namespace}:${account.name}`,
  }
  const json = (value: object): string => url(utf8Encode(JSON.stringify(value)))
  const input = `${json({ alg: 'RS256', kid: url(keyedHash(KEY_ID, 32)) })}.${json(claims)}`
  return `${input}.${url(keyedHash(input, SIGNATURE_BYTES))}`
}
