// Request bodies: media type, text, decoding to an object of the expected kind (handlers/create.go, rest.go transformDecodeError).
import {
  bodyKind,
  cannotBeHandledText,
  type DecodedBody,
  decodeBody as readBody,
  decodeObject,
  strictDecodingText,
  unrecognizedText,
} from '../../../api/decode.ts'
import { groupVersion } from '../../../api/meta.ts'
import { type GroupVersionKind, type ObjectSchema, schemaFor } from '../../../api/schema/index.ts'
import { badRequest, unsupportedMediaType } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { refuse } from '../refusal.ts'
import type { Served } from '../registry/index.ts'
import type { Options } from './options.ts'
import type { ResourceRq, Rq } from './request.ts'

export const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** The body's media type without parameters; no header counts as JSON. */
export function bodyType(rq: Rq): string {
  const type = (rq.request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? ''
  if (!MEDIA_TYPES.includes(type)) refuse(unsupportedMediaType(MEDIA_TYPES))
  return type
}

export const expectedKind = (rq: ResourceRq): GroupVersionKind => ({
  group: rq.served.group,
  version: rq.served.version,
  kind: rq.served.strategy.kind,
})

/** A private draft of the object in the body, in the storage version. */
export function decodeBody(rq: ResourceRq, options: Options): KubeObject {
  return toStorage(rq, rq.served.decode ? decodeCustom(rq, rq.served.decode, options) : decodeKind(rq, expectedKind(rq), options))
}

/** Bodies of custom kinds may say any kind and hold values of wrong types: validation refuses those. */
function decodeCustom(rq: ResourceRq, decode: NonNullable<Served['decode']>, options: Options): KubeObject {
  const expected = expectedKind(rq)
  const type = bodyType(rq)
  const { body } = rq.request
  const read = readBody(body, type)
  if (read.value === undefined)
    refuse(badRequest(unrecognizedText(expected.kind, read.error, typeof body === 'string' ? body : JSON.stringify(body ?? ''))))
  const actual = bodyKind(read.value, expected)
  const decoded = decode(
    actual.group === expected.group && actual.version === expected.version ? actual.kind : '',
    read.value.value,
    options.fieldValidation,
  )
  if (decoded.value === undefined) refuse(badRequest(cannotBeHandledText(actual, expected.kind, decoded.error)))
  const { object } = decoded.value
  object.apiVersion = groupVersion(actual.group, actual.version)
  object.kind = actual.kind
  if (actual.group !== expected.group || actual.version !== expected.version) {
    refuse(
      badRequest(
        `the API version in the data (${groupVersion(actual.group, actual.version)}) does not match the expected API version (${groupVersion(expected.group, expected.version)})`,
      ),
    )
  }
  const strict = [...(options.fieldValidation === 'Ignore' ? [] : read.value.strictErrors), ...decoded.value.strictErrors]
  if (strict.length > 0) {
    if (options.fieldValidation === 'Strict') refuse(badRequest(cannotBeHandledText(actual, expected.kind, strictDecodingText(strict))))
    rq.warnings.push(...strict)
  }
  return object
}

/** Decodes the body as one kind (the resource's, or that of a subresource). */
export function decodeKind(rq: Rq, expected: GroupVersionKind, options: Options): KubeObject {
  const type = bodyType(rq)
  const { body } = rq.request
  const read = readBody(body, type)
  if (read.value === undefined)
    refuse(badRequest(unrecognizedText(expected.kind, read.error, typeof body === 'string' ? body : JSON.stringify(body ?? ''))))
  const actual = bodyKind(read.value, expected)
  const schema = schemaOf(rq, actual)
  if (!schema) {
    const version = groupVersion(actual.group, actual.version)
    refuse(
      badRequest(
        cannotBeHandledText(
          actual,
          expected.kind,
          `no kind ${JSON.stringify(actual.kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/api/legacyscheme/scheme.go:30"`,
        ),
      ),
    )
  }
  const { object: draft, strict } = decodeTree(read.value, schema, actual, expected, options)
  if (actual.kind !== expected.kind) {
    const from = `${goVersionPackage(actual)}.${actual.kind}`
    refuse(
      badRequest(
        cannotBeHandledText(
          actual,
          expected.kind,
          `converting (${from}) to (${goInternalPackage(expected)}.${expected.kind}): unknown conversion`,
        ),
      ),
    )
  }
  if (actual.group !== expected.group || actual.version !== expected.version) {
    refuse(
      badRequest(
        `the API version in the data (${groupVersion(actual.group, actual.version)}) does not match the expected API version (${groupVersion(expected.group, expected.version)})`,
      ),
    )
  }
  if (strict.length > 0) {
    if (options.fieldValidation === 'Strict') refuse(badRequest(cannotBeHandledText(actual, expected.kind, strictDecodingText(strict))))
    rq.warnings.push(...strict)
  }
  return draft
}

const schemaOf = (_rq: Rq, gvk: GroupVersionKind) => schemaFor(gvk.group, gvk.version, gvk.kind)
const goVersionPackage = (gvk: GroupVersionKind): string => gvk.version
const goInternalPackage = (gvk: GroupVersionKind): string => (gvk.group === '' ? 'core' : (gvk.group.split('.')[0] ?? ''))

/** @throws Refusal for wrong types. */
function decodeTree(
  body: DecodedBody,
  schema: ObjectSchema,
  actual: GroupVersionKind,
  expected: GroupVersionKind,
  options: Options,
): { object: KubeObject; strict: readonly string[] } {
  const decoded = decodeObject(body.value, schema, { fieldValidation: options.fieldValidation })
  if (decoded.value === undefined) refuse(badRequest(cannotBeHandledText(actual, expected.kind, decoded.error)))
  const strict = [...(options.fieldValidation === 'Ignore' ? [] : body.strictErrors), ...decoded.value.strictErrors]
  const { object } = decoded.value
  object.apiVersion = groupVersion(actual.group, actual.version)
  object.kind = actual.kind
  object.metadata ??= {}
  return { object, strict }
}

/** Defaults of the served version, conversion, defaults of the storage version. */
export function toStorage(rq: ResourceRq, draft: KubeObject): KubeObject {
  const { served, strategy } = rq.served
  let object = draft
  if (served) {
    served.defaults?.(object)
    object = served.fromServed(object)
  }
  strategy.defaults(object)
  return object
}
