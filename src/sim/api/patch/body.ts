// Bodies of PATCH requests: apiserver pkg/endpoints/handlers/patch.go.
import { isRecord } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'
import { decodeTree, type FieldValidation } from '../decode.ts'
import { parseJsonText, treeToPlain } from '../json-text.ts'
import type { Field, ObjectSchema } from '../schema/index.ts'
import { parseYamlText } from '../yaml-text.ts'
import type { JsonPatchOperation } from './json-patch.ts'

export interface DecodedPatch<T> {
  readonly patch: T
  /** Duplicate and unknown members: warnings, or the refusal under fieldValidation=Strict. */
  readonly strictErrors: readonly string[]
}

const STRING: ObjectSchema = { type: 'string', goType: 'string' }
const ANY: ObjectSchema = { type: 'any', goType: 'interface {}' }
const field = (name: string, schema: ObjectSchema): readonly [string, Field] => [
  name,
  { name, schema, required: false, pointer: true, always: true, omitZero: false },
]
const OPERATION: ObjectSchema = {
  type: 'object',
  goType: 'handlers.jsonPatchOp',
  fields: () => new Map([field('op', STRING), field('path', STRING), field('from', STRING), field('value', ANY)]),
}
const OPERATIONS: ObjectSchema = { type: 'array', goType: '[]handlers.jsonPatchOp', items: OPERATION }
const ANY_MAP: ObjectSchema = { type: 'map', goType: 'map[string]interface {}', items: ANY }

const treeOf = (body: string | object | undefined): Result<unknown> => (typeof body === 'object' ? ok(body) : parseJsonText(body ?? ''))

/** A JSON patch: a list of operations. */
export const decodeJsonPatch = (
  body: string | object | undefined,
  fieldValidation: FieldValidation = 'Warn',
): Result<DecodedPatch<readonly JsonPatchOperation[]>> => {
  const tree = treeOf(body)
  if (tree.error !== undefined) return fail(`error decoding patch: ${tree.error}`)
  const checked = decodeTree(tree.value, OPERATIONS, fieldValidation)
  if (checked.error !== undefined) return fail(`error decoding patch: ${checked.error}`)
  const operations = treeToPlain(tree.value)
  return ok({
    patch: Array.isArray(operations) ? operations.map((o) => (isRecord(o) ? o : {})) : [],
    strictErrors: checked.value.strictErrors.map((e) => `json patch ${e}`),
  })
}

const decodeMap = (
  body: string | object | undefined,
  fieldValidation: FieldValidation,
  prefix: string,
): Result<DecodedPatch<Record<string, unknown>>> => {
  const tree = treeOf(body)
  if (tree.error !== undefined) return fail(prefix + tree.error)
  const checked = decodeTree(tree.value, ANY_MAP, fieldValidation)
  if (checked.error !== undefined) return fail(prefix + checked.error)
  return ok({ patch: (treeToPlain(tree.value) ?? {}) as Record<string, unknown>, strictErrors: checked.value.strictErrors })
}

/** A merge patch; `null` is none. */
export const decodeMergePatch = (
  body: string | object | undefined,
  fieldValidation: FieldValidation = 'Warn',
): Result<DecodedPatch<Record<string, unknown>>> => {
  const decoded = decodeMap(body, fieldValidation, 'error decoding patch: ')
  return decoded.value && typeof body === 'string' && body.trim() === 'null' ? fail('Invalid JSON Patch') : decoded
}

export const decodeStrategicPatch = (
  body: string | object | undefined,
  fieldValidation: FieldValidation = 'Warn',
): Result<DecodedPatch<Record<string, unknown>>> => decodeMap(body, fieldValidation, '')

/** An apply configuration: YAML, which JSON is. Under Strict a duplicate key is refused, but only after apply itself found nothing wrong. */
export const decodeApplyPatch = (body: string | object | undefined): Result<DecodedPatch<Record<string, unknown>>> => {
  if (typeof body === 'object') return ok({ patch: body as Record<string, unknown>, strictErrors: [] })
  const parsed = parseYamlText(body ?? '')
  if (parsed.value === undefined)
    return fail(`error decoding YAML: ${/^yaml: /.test(parsed.error) ? `error converting YAML to JSON: ${parsed.error}` : parsed.error}`)
  const plain = treeToPlain(parsed.value.tree)
  if (plain !== null && !isRecord(plain)) {
    const what = Array.isArray(plain) ? 'array' : typeof plain === 'boolean' ? 'bool' : typeof plain
    return fail(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`,
    )
  }
  return ok({ patch: plain ?? {}, strictErrors: parsed.value.duplicates.map((d) => `error converting YAML to JSON: ${d}`) })
}
