// Values against schemas: kube-openapi pkg/validation/validate, with the ratcheting of apiextensions-apiserver
// pkg/apiserver/validation/{validation,ratcheting}.go.
import { deepEqual, sortedKeys } from '../../../../../lib/compare.ts'
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { goFloatText } from '../../../../api/cel/go-float.ts'
import { compileGoRegexp } from '../../../../api/cel/regexp.ts'
import { type FieldError, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../../../../api/field.ts'
import { goJson, goQuote } from '../../../../api/go-text.ts'
import { childByIndex, childByKey, type Correlated, isUnchanged } from './correlate.ts'
import { isKnownFormat, matchesFormat } from '../../../../api/cel/formats.ts'
import { additionalProperties, child, isIntOrString, itemSchema, type JSONSchemaProps, propertyNames, propertyOf } from './schema.ts'

type Code = 'type' | 'required' | 'enum' | 'tooLong' | 'maxItems' | 'maxProperties' | 'other' | 'composite'

interface Problem {
  code: Code
  /** Path of the value, upstream's way: `spec.size`, `.key` below a map at the root. */
  name: string
  message: string
  value?: unknown
  limit?: number
  values?: readonly unknown[]
}

interface Outcome {
  problems: Problem[]
  /** How many checks were made: the best failure of anyOf is the one with most of them. */
  matches: number
}

export interface ValidatorOptions {
  /** Schemas of definitions know fewer formats and int-or-string as two types; those that defaults are checked with are as written. */
  asDefinition: boolean
}

const none = (): Outcome => ({ problems: [], matches: 0 })
const one = (problem: Problem): Outcome => ({ problems: [problem], matches: 0 })
const add = (to: Outcome, ...problems: readonly Problem[]): void => {
  for (const p of problems) if (!to.problems.some((q) => q.message === p.message)) to.problems.push(p)
}
const merge = (to: Outcome, other: Outcome | undefined): void => {
  if (!other) return
  add(to, ...other.problems)
  to.matches += other.matches
}

const typeOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'object' ? 'object' : typeof value
}

interface Rules {
  schema: JSONSchemaProps
  types: readonly string[]
  format: string
}

const rulesOf = (schema: JSONSchemaProps, options: ValidatorOptions): Rules => {
  const format = schema.format ?? ''
  return {
    schema,
    types: options.asDefinition && isIntOrString(schema) ? ['integer', 'string'] : schema.type ? [schema.type] : [],
    format: options.asDefinition && format !== '' && !isKnownFormat(format) ? '' : format,
  }
}

const invalidType = (path: string, type: string, value: string): Problem => ({
  code: 'type',
  name: path,
  value,
  message: `${path} in body must be of type ${type}: ${goQuote(value)}`,
})

function checkType({ types, format, schema }: Rules, path: string, value: unknown): Outcome {
  const actual = typeOf(value)
  if (actual === 'null') {
    return types.length > 0 && !types.includes('null') && schema.nullable !== true
      ? one(invalidType(path, types.join(','), 'null'))
      : { problems: [], matches: 1 }
  }
  const actualFormat = actual === 'integer' ? 'int64' : actual === 'number' ? 'float64' : ''
  const isIntFloat = actual === 'integer' && types.includes('number')
  const textual = actual === 'string' || actual === 'array'
  if (!textual && format !== '' && !(types.includes(actual) || actualFormat === format || isIntFloat))
    return one(invalidType(path, format, actualFormat))
  if (!(types.includes('number') || types.includes('integer')) && format !== '' && textual) return { problems: [], matches: 1 }
  if (!(types.includes(actual) || isIntFloat)) return one(invalidType(path, types.join(','), actual))
  return { problems: [], matches: 1 }
}

const codePoints = (text: string): number => [...text].length

function checkString({ schema }: Rules, path: string, value: string): Outcome | undefined {
  const { maxLength, minLength, pattern } = schema
  if (maxLength !== undefined && codePoints(value) > maxLength)
    return one({
      code: 'tooLong',
      name: path,
      value,
      limit: maxLength,
      message: `${path} in body should be at most ${maxLength} chars long`,
    })
  if (minLength !== undefined && codePoints(value) < minLength)
    return one({ code: 'other', name: path, value, message: `${path} in body should be at least ${minLength} chars long` })
  if (pattern) {
    const regexp = compileGoRegexp(pattern)
    if (regexp.value === undefined)
      return one({
        code: 'other',
        name: path,
        value,
        message: `${path} in body should match '${pattern}, but pattern is invalid: ${regexp.error}'`,
      })
    if (!regexp.value.test(value)) return one({ code: 'other', name: path, value, message: `${path} in body should match '${pattern}'` })
  }
  return undefined
}

function checkNumber({ schema }: Rules, path: string, value: number): Outcome {
  const out = none()
  const isInt = Number.isInteger(value)
  // int64(limit) of an integer's limit, as upstream's native type checks convert it
  const limit = (given: number): { limit: number; text: string } =>
    isInt ? { limit: Math.trunc(given), text: String(Math.trunc(given)) } : { limit: given, text: goFloatText(given) }
  const { multipleOf, minimum, maximum } = schema
  if (multipleOf !== undefined) {
    const { limit: factor, text } = limit(multipleOf)
    const quotient = factor < 1 ? (1 / factor) * value : value / factor
    if (factor <= 0)
      add(out, { code: 'other', name: path, value: factor, message: `factor MultipleOf declared for ${path} must be positive: ${text}` })
    else if (isInt ? value % factor !== 0 : Math.abs(quotient - Math.round(quotient)) > 1e-9)
      add(out, { code: 'other', name: path, value, message: `${path} in body should be a multiple of ${text}` })
  }
  if (minimum !== undefined) {
    const { limit: min, text } = limit(minimum)
    const exclusive = schema.exclusiveMinimum === true
    if (exclusive ? value <= min : value < min)
      add(out, {
        code: 'other',
        name: path,
        value,
        message: `${path} in body should be greater than ${exclusive ? '' : 'or equal to '}${text}`,
      })
  }
  if (maximum !== undefined) {
    const { limit: max, text } = limit(maximum)
    const exclusive = schema.exclusiveMaximum === true
    if (exclusive ? value >= max : value > max)
      add(out, {
        code: 'other',
        name: path,
        value,
        message: `${path} in body should be less than ${exclusive ? '' : 'or equal to '}${text}`,
      })
  }
  out.matches++
  return out
}

type Walk = (schema: JSONSchemaProps, path: string, value: unknown, at: Correlated | undefined) => Outcome

function checkList({ schema }: Rules, path: string, list: readonly unknown[], at: Correlated | undefined, walk: Walk): Outcome {
  const out = none()
  const items = itemSchema(schema)
  if (items) for (const [i, item] of list.entries()) merge(out, walk(items, `${path}[${i}]`, item, childByIndex(at, i)))
  const { minItems, maxItems } = schema
  if (minItems !== undefined && list.length < minItems)
    add(out, { code: 'other', name: path, value: list.length, message: `${path} in body should have at least ${minItems} items` })
  if (maxItems !== undefined && list.length > maxItems) {
    add(out, {
      code: 'maxItems',
      name: path,
      value: list.length,
      limit: maxItems,
      message: `${path} in body should have at most ${maxItems} items`,
    })
  }
  if (schema.uniqueItems && list.some((a, i) => list.slice(0, i).some((b) => deepEqual(a, b))))
    add(out, { code: 'other', name: path, message: `${path} in body shouldn't contain duplicates` })
  out.matches++
  return out
}

function checkObject({ schema }: Rules, path: string, object: Record<string, unknown>, at: Correlated | undefined, walk: Walk): Outcome {
  const out = none()
  const keys = sortedKeys(object)
  const { minProperties, maxProperties } = schema
  if (minProperties !== undefined && keys.length < minProperties)
    add(out, { code: 'other', name: path, value: keys.length, message: `${path} in body should have at least ${minProperties} properties` })
  if (maxProperties !== undefined && keys.length > maxProperties) {
    add(out, {
      code: 'maxProperties',
      name: path,
      value: keys.length,
      limit: maxProperties,
      message: `${path} in body should have at most ${maxProperties} properties`,
    })
  }
  const additional = additionalProperties(schema)
  // the type's own apiVersion and kind are never excused: the stored ones are not visible
  const below = (k: string): Correlated | undefined => (path === '' && (k === 'kind' || k === 'apiVersion') ? undefined : childByKey(at, k))
  if (additional && !additional.allows) {
    for (const k of keys)
      if (!propertyOf(schema, k)) add(out, { code: 'other', name: path, value: k, message: `${path}.${k} in body is a forbidden property` })
  } else if (additional?.schema) {
    for (const k of keys) if (!propertyOf(schema, k)) merge(out, walk(additional.schema, `${path}.${k}`, getOwn(object, k), below(k)))
  }
  for (const name of propertyNames(schema)) {
    if (Object.hasOwn(object, name))
      merge(out, walk(propertyOf(schema, name) as JSONSchemaProps, child(path, name), getOwn(object, name), below(name)))
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(object, name))
      add(out, { code: 'required', name: `${path}.${name}`, message: `${path}.${name} in body is required` })
  }
  return out
}

const composite = (message: string): Problem => ({ code: 'composite', name: '', message })

/** anyOf, oneOf, allOf, not. */
function checkProps({ schema }: Rules, path: string, walk: (s: JSONSchemaProps) => Outcome): Outcome {
  const out = none()
  const where = goQuote(path)
  if (schema.anyOf?.length) {
    let best: Outcome | undefined
    let success: Outcome | undefined
    for (const s of schema.anyOf) {
      const result = walk(s)
      if (result.problems.length === 0) {
        best = undefined
        success = result
        break
      }
      if (!best || result.matches > best.matches) best = result
    }
    if (!success) add(out, composite(`${where} must validate at least one schema (anyOf)`))
    merge(out, best ?? success)
  }
  if (schema.oneOf?.length) {
    let best: Outcome | undefined
    let success: Outcome | undefined
    let validated = 0
    for (const s of schema.oneOf) {
      const result = walk(s)
      if (result.problems.length === 0) {
        validated++
        best = undefined
        success ??= result
        continue
      }
      if (validated === 0 && (!best || result.matches > best.matches)) best = result
    }
    if (validated !== 1) {
      add(
        out,
        composite(
          `${where} must validate one and only one schema (oneOf). ${validated === 0 ? 'Found none valid' : `Found ${validated} valid alternatives`}`,
        ),
      )
      merge(out, best)
    } else merge(out, success)
  }
  if (schema.allOf?.length) {
    let validated = 0
    for (const s of schema.allOf) {
      const result = walk(s)
      if (result.problems.length === 0) validated++
      merge(out, result)
    }
    if (validated !== schema.allOf.length)
      add(out, composite(`${where} must validate all the schemas (allOf)${validated === 0 ? '. None validated' : ''}`))
  }
  if (schema.not && walk(schema.not).problems.length === 0) add(out, composite(`${where} must not validate the schema (not)`))
  out.matches++
  return out
}

const goText = (value: unknown): string => (typeof value === 'string' ? value : value === null ? '<nil>' : goJson(value))

function checkEnum({ schema }: Rules, path: string, value: unknown): Outcome | undefined {
  const values = schema.enum ?? []
  if (values.length === 0 || (value !== null && values.some((v) => v !== null && deepEqual(v, value)))) return undefined
  return one({ code: 'enum', name: path, value, values, message: `${path} in body should be one of [${values.map(goText).join(' ')}]` })
}

/** SchemaValidator.Validate. With a correlated old value, complaints about what did not change are dropped. */
function check(schema: JSONSchemaProps, path: string, value: unknown, at: Correlated | undefined, options: ValidatorOptions): Outcome {
  const rules = rulesOf(schema, options)
  const out = none()
  const walk: Walk = (s, p, v, c) => {
    const result = check(s, p, v, c, options)
    return c && result.problems.length > 0 && isUnchanged(c) ? { problems: [], matches: result.matches } : result
  }
  if (value === null || value === undefined) {
    merge(out, checkType(rules, path, value))
    merge(out, checkEnum(rules, path, null))
    return out
  }
  const run = (result: Outcome | undefined): void => {
    merge(out, result)
    out.matches++
  }
  if (rules.types.length > 0 || rules.format !== '') run(checkType(rules, path, value))
  run(checkProps(rules, path, (s) => check(s, path, value, at, options)))
  if (typeof value === 'string') {
    run(checkString(rules, path, value))
    if (rules.format !== '' && isKnownFormat(rules.format))
      run(matchesFormat(rules.format, value) ? undefined : one(invalidType(path, rules.format, value)))
  }
  if (typeof value === 'number') run(checkNumber(rules, path, value))
  if (Array.isArray(value)) run(checkList(rules, path, value, at, walk))
  run(checkEnum(rules, path, value))
  if (isRecord(value)) run(checkObject(rules, path, value, at, walk))
  out.matches++
  return out
}

/** kubeOpenAPIResultToFieldErrors. */
function fieldErrors(path: string | undefined, problems: readonly Problem[]): FieldError[] {
  return problems.map((p): FieldError => {
    const field = p.name !== '' && p.name !== '.' ? child(path ?? '', p.name.replace(/^\./, '')) : (path ?? '<nil>')
    switch (p.code) {
      case 'composite':
        return invalid(path ?? '<nil>', '', p.message)
      case 'required':
        return required(field)
      case 'enum':
        return notSupported(
          field,
          p.value,
          (p.values ?? []).map((v) => (typeof v === 'string' ? v : goJson(v))),
        )
      case 'tooLong':
        return tooLong(field, p.limit ?? -1)
      case 'maxItems':
      case 'maxProperties':
        return tooMany(field, p.value as number, p.limit ?? -1)
      case 'type':
        return typeInvalid(field, p.value ?? '', p.message)
      case 'other':
        return invalid(field, p.value ?? '', p.message)
    }
  })
}

/** ValidateCustomResource and, with a correlated old value, ValidateCustomResourceUpdate. `path` undefined is Go's nil path. */
export function validateValue(
  path: string | undefined,
  value: unknown,
  schema: JSONSchemaProps,
  options: ValidatorOptions,
  at?: Correlated,
): FieldError[] {
  const { problems } = check(schema, '', value, at, options)
  return problems.length === 0 || isUnchanged(at) ? [] : fieldErrors(path, problems)
}
