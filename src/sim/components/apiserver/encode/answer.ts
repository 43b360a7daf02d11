// The HTTP answer of a finished request: body in the negotiated form, headers, warnings.
import type { HttpResponse } from '../../../api/http.ts'
import { isStatus, type Status } from '../../../api/status.ts'
import { goQuote } from '../../../api/go-text.ts'
import { Refusal } from '../refusal.ts'
import type { Served } from '../registry/index.ts'
import { queryBool, queryValue } from '../request-info.ts'
import type { Answer, InFlight } from '../types.ts'
import { encodeList, encodeObject, type EncodeContext } from './encode.ts'
import { negotiate } from './negotiate.ts'
import { toYaml } from './yaml.ts'

export interface AnswerContext {
  readonly nowMs: number
  route(group: string, version: string, resource: string): Served | undefined
}

/** What every answer carries. */
export const commonHeaders = ({ auditID, flow }: InFlight): Record<string, string> => ({
  'audit-id': auditID,
  'cache-control': 'no-cache, private',
  ...(flow ? { 'x-kubernetes-pf-flowschema-uid': flow.flowSchema, 'x-kubernetes-pf-prioritylevel-uid': flow.priorityLevel } : {}),
})

export function answerBody(item: InFlight, answer: Answer, context: AnswerContext): { response: HttpResponse; status: Status | undefined } {
  const headers: Record<string, string | readonly string[]> = { ...commonHeaders(item), ...answer.headers }
  if (item.warnings.length > 0) headers.warning = warningHeader(item.warnings)
  if (answer.text !== undefined) {
    headers['content-type'] ??= 'text/plain; charset=utf-8'
    return { response: { status: answer.code, headers, body: answer.text }, status: undefined }
  }
  const media = negotiate(item.request.headers.accept, { pretty: queryBool(item.info.query, 'pretty') === true }) ?? {
    subtype: 'json',
    pretty: false,
  }
  let code = answer.code
  let body: object
  try {
    body = shape(item, answer, media, context)
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    body = thrown.status
    code = thrown.status.code
  }
  const status = isStatus(body) ? body : undefined
  headers['content-type'] ??= media.subtype === 'yaml' ? 'application/yaml' : 'application/json'
  return { response: { status: code, headers, body: media.subtype === 'yaml' ? toYaml(body) : body }, status }
}

function shape(item: InFlight, answer: Answer, media: EncodeContext['media'], context: AnswerContext): object {
  if (answer.raw) return answer.raw
  const { info } = item
  const served = answer.list?.served ?? context.route(info.group, info.version, info.resource)
  if (!served) throw new Error(`${info.path} answered with an object of no kind`)
  const c: EncodeContext = { served, media, nowMs: context.nowMs, includeObject: queryValue(info.query, 'includeObject') ?? 'Metadata' }
  if (answer.list) return encodeList(c, answer.list)
  if (!answer.object) throw new Error(`${info.path} has no answer`)
  return encodeObject(c, answer.object)
}

/** Each once, in order: `299 - "text"` (apiserver/pkg/warning, net.NewWarningHeader). */
export function warningHeader(warnings: readonly string[]): string | readonly string[] {
  const list = [...new Set(warnings)].map((text) => `299 - ${goQuote(text)}`)
  return list.length === 1 ? (list[0] as string) : list
}
