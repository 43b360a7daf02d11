import { describe, expect, test } from 'vitest'
import {
  bodyKind,
  cannotBeHandledText,
  decodeBody,
  decodeObject,
  type FieldValidation,
  strictDecodingText,
  unrecognizedText,
} from './decode.ts'
import bodies from './golden/bodies.json' with { type: 'json' }
import recorded from './golden/go.json' with { type: 'json' }
import { parseJsonText, treeToPlain } from './json-text.ts'
import { marshalObject } from './marshal.ts'
import { type ObjectSchema, schemaFor } from './schema/index.ts'
import { parseYamlText } from './yaml-text.ts'

interface Body {
  name: string
  kind: [string, string, string]
  contentType: string
  fieldValidation: string
  body: string
  message?: string
  warning?: string | null
}

describe('request bodies are taken or refused as a real API server does', () => {
  test.each(bodies as Body[])('$name', ({ kind: [group, version, kind], contentType, fieldValidation, body, message, warning }) => {
    const answer = (): { message?: string; warnings: readonly string[] } => {
      const decoded = decodeBody(body, contentType)
      if (decoded.value === undefined) return { message: unrecognizedText(kind, decoded.error, body), warnings: [] }
      const actual = bodyKind(decoded.value, { group, version, kind })
      const object = decodeObject(decoded.value.value, schemaFor(group, version, kind) as ObjectSchema, {
        fieldValidation: fieldValidation as FieldValidation,
      })
      if (object.value === undefined) return { message: cannotBeHandledText(actual, kind, object.error), warnings: [] }
      const strict = fieldValidation === 'Ignore' ? [] : [...decoded.value.strictErrors, ...object.value.strictErrors]
      if (fieldValidation === 'Strict' && strict.length > 0)
        return { message: cannotBeHandledText(actual, kind, strictDecodingText(strict)), warnings: [] }
      return { warnings: strict }
    }
    const { message: said, warnings } = answer()
    expect(said).toBe(message)
    if (warning !== undefined) expect(warnings.map((w) => `299 - ${JSON.stringify(w)}`).join(', ')).toBe(warning ?? '')
  })
})

const GROUPS: Readonly<Record<string, string>> = { Deployment: 'apps', Role: 'rbac.authorization.k8s.io' }

describe('objects are decoded and written again as Go does', () => {
  test.each(recorded.decoded as unknown as { kind: string; body: string; error?: string; strict?: string[]; json?: object }[])(
    '$kind $body',
    ({ kind, body, error, strict, json }) => {
      const schema = schemaFor(GROUPS[kind] ?? '', 'v1', kind) as ObjectSchema
      const decoded = decodeObject(parseJsonText(body).value, schema)
      expect(decoded.error).toBe(error)
      if (decoded.value === undefined) return
      expect(decoded.value.strictErrors).toEqual(strict)
      expect(marshalObject(decoded.value.object, schema)).toEqual(json)
    },
  )
})

describe('YAML means what it means to the API server', () => {
  test.each(recorded.yaml as { text: string; error?: string; json?: unknown; strict?: string }[])(
    '$text',
    ({ text, error, json, strict }) => {
      const parsed = parseYamlText(text)
      expect(parsed.error).toBe(error)
      if (parsed.value === undefined) return
      expect(treeToPlain(parsed.value.tree)).toEqual(json)
      expect(parsed.value.duplicates[0]).toBe(strict)
    },
  )
})

test('aliases cannot explode and nesting has a limit', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...[...'bcdefghij'].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(',')}]`),
  ].join('\n')
  expect(parseYamlText(bomb).error).toBe('yaml: document contains excessive aliasing')
  expect(parseYamlText('a: &a [*a]').error).toBe("yaml: anchor 'a' value contains itself")
  expect(parseYamlText('['.repeat(1000)).error).toContain('exceeded max depth')
  expect(parseJsonText('['.repeat(1000)).error).toBe('exceeded max depth')
})

test('keys named like parts of the prototype stay data', () => {
  const body = '{"metadata":{"labels":{"__proto__":"a","constructor":"b"}}}'
  const object = decodeObject(parseJsonText(body).value, schemaFor('', 'v1', 'Pod') as ObjectSchema).value?.object
  expect(JSON.stringify(object)).toBe(body)
})
