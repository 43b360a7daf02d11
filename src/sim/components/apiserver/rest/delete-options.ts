// A DELETE's body: DeleteOptions in any group-version that knows the kind.
import { bodyKind, decodeBody, decodeObject } from '../../../api/decode.ts'
import { groupVersion } from '../../../api/meta.ts'
import { schemaFor } from '../../../api/schema/index.ts'
import { badRequest } from '../../../api/status.ts'
import type { DeleteOptions } from '../../../api/types/kubernetes.gen.ts'
import { refuse } from '../refusal.ts'
import { bodyType } from './body.ts'
import type { Rq } from './request.ts'

const EXPECTED = { group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' }

/** undefined = no body: the query counts. */
export function decodeDeleteOptions(rq: Rq): DeleteOptions | undefined {
  const { body } = rq.request
  if (body === undefined || body === '') return undefined
  const read = decodeBody(body, bodyType(rq))
  if (read.value === undefined) refuse(badRequest(read.error))
  const actual = bodyKind(read.value, EXPECTED)
  if (actual.kind !== 'DeleteOptions') {
    refuse(
      badRequest(`decoded object cannot be converted to DeleteOptions: ${groupVersion(actual.group, actual.version)}, Kind=${actual.kind}`),
    )
  }
  const schema = schemaFor('', 'v1', 'DeleteOptions')
  if (!schema) return read.value.value as DeleteOptions
  const decoded = decodeObject(read.value.value, schema)
  if (decoded.value === undefined) refuse(badRequest(decoded.error))
  return decoded.value.object as unknown as DeleteOptions
}
