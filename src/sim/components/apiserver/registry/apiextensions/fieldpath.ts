// Field paths of rules and selectable fields: ValidFieldPath of apiextensions-apiserver pkg/apiserver/schema/cel/validation.go.
import { fail, ok, type Result } from '../../../../../lib/result.ts'
import { additionalProperties, child, type JSONSchemaProps, key, propertyNames, propertyOf, valueSchema } from './schema.ts'

function tokensOf(path: string): string[] {
  const tokens: string[] = []
  let i = 0
  while (i < path.length) {
    const c = path.charAt(i)
    if (c === '.' || c === '[' || c === ']') {
      tokens.push(c)
      i++
      continue
    }
    let end = i
    if (c === "'") {
      end = i + 1
      while (end < path.length && !(path.charAt(end) === "'" && path.charAt(end - 1) !== '\\')) end++
      end = Math.min(end + 1, path.length)
    } else while (end < path.length && !'.[]'.includes(path.charAt(end))) end++
    tokens.push(path.slice(i, end))
    i = end
  }
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' }

const unescapeQuoted = (text: string): Result<string> => {
  let bad: string | undefined
  const value = text.replace(/\\./g, (m) => {
    const c = m.charAt(1)
    if (Object.hasOwn(ESCAPES, c)) return ESCAPES[c] as string
    bad = m
    return ''
  })
  return bad === undefined ? ok(value) : fail(`invalid escape char ${bad}`)
}

export interface FoundField {
  path: string
  /** First element of the path. */
  root: string
  schema: JSONSchemaProps
}

export function validFieldPath(jsonPath: string, schema: JSONSchemaProps, allowArrays = true): Result<FoundField> {
  const found: FoundField = { path: '', root: '', schema }
  const wrong = 'does not refer to a valid field'
  const end = 'unexpected end of JSON path'
  const append = (name: string): string | undefined => {
    if (propertyNames(found.schema).length > 0) {
      const property = propertyOf(found.schema, name)
      if (!property) return wrong
      found.path = child(found.path, name)
      if (found.root === '') found.root = name
      found.schema = property
      return undefined
    }
    const values = valueSchema(found.schema)
    if (!additionalProperties(found.schema) || !values) return wrong
    found.path = key(found.path, name)
    found.schema = values
    return undefined
  }
  const tokens = tokensOf(jsonPath)
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string
    if (token === '[') {
      if (!allowArrays) return fail('array notation is not allowed')
      const name = tokens[++i]
      if (name === undefined) return fail(end)
      if (name.length < 2 || !name.startsWith("'") || !name.endsWith("'")) return fail(`expected single quoted string but got ${name}`)
      const unescaped = unescapeQuoted(name.slice(1, -1))
      if (unescaped.error !== undefined) return fail(`invalid string literal: ${unescaped.error}`)
      const problem = append(unescaped.value as string)
      if (problem) return fail(problem)
      const close = tokens[++i]
      if (close === undefined) return fail(end)
      if (close !== ']') return fail(`expected ] but got ${close}`)
    } else if (token === '.') {
      const name = tokens[++i]
      if (name === undefined) return fail(end)
      const problem = append(name)
      if (problem) return fail(problem)
    } else return fail(`expected [ or . but got: ${token}`)
  }
  return ok(found)
}
