// Continue tokens: apiserver/pkg/storage/continue.go. Base64url of {"v","rv","start"}.
import { badRequest } from '../../../api/status.ts'
import { fromBase64Url, toBase64Url } from '../base64url.ts'
import { refuse } from '../refusal.ts'

const VERSION = 'meta.k8s.io/v1'

export const encodeContinue = (revision: number, start: string): string => toBase64Url(JSON.stringify({ v: VERSION, rv: revision, start }))

const refuseToken = (why: string): never => refuse(badRequest(`invalid continue token: continue key is not valid: ${why}`))

export function decodeContinue(token: string): { revision: number; start: string } {
  const text = fromBase64Url(token)
  if (text === undefined) return refuseToken(`illegal base64 data at input byte ${badByte(token)}`)
  let value: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    value = JSON.parse(text)
  } catch {
    return refuseToken(
      text === '' ? 'unexpected end of JSON input' : `invalid character '${text.charAt(0)}' looking for beginning of value`,
    )
  }
  if (value.v !== VERSION) return refuseToken(`server does not recognize this encoded version ${JSON.stringify(value.v ?? '')}`)
  const revision = typeof value.rv === 'number' ? value.rv : 0
  if (revision === 0) return refuseToken(`incorrect encoded start resourceVersion (version ${VERSION})`)
  const start = typeof value.start === 'string' ? value.start : ''
  if (start === '') return refuseToken('empty start key')
  if (start.split('/').includes('..')) return refuseToken(start)
  return { revision, start }
}

const badByte = (token: string): number => {
  const at = token.search(/[^A-Za-z0-9_-]/)
  return at < 0 ? token.length : at
}
