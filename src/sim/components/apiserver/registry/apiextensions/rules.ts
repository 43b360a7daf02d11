// x-kubernetes-validations: compiled with the definition, evaluated for every object
// (apiextensions-apiserver pkg/apiserver/schema/cel, pkg/apis/apiextensions/validation).
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { type Activation, compileCel, evaluateCel, type Program } from '../../../../api/cel/index.ts'
import { COST_EXCEEDED } from '../../../../api/cel/interpreter.ts'
import { optionalOf } from '../../../../api/cel/types.ts'
import { CelError, NONE, some, type Value } from '../../../../api/cel/values.ts'
import { fieldErrorText } from '../../../../api/field-error-text.ts'
import { duplicate, type FieldError, forbidden, internalError, invalid, required } from '../../../../api/field.ts'
import { byteLength } from '../../../../api/go-text.ts'
import type { ValidationRule } from '../../../../api/types/kubernetes.gen.ts'
import { declType, escapeName, toCel } from './cel-schema.ts'
import { childByIndex, childByKey, type Correlated, isUnchanged, sameKeyed } from './correlate.ts'
import { validFieldPath } from './fieldpath.ts'
import { mapIsCorrelatable, type RuleCompiler } from './openapi-schema.ts'
import {
  child,
  isEmbedded,
  itemSchema,
  type JSONSchemaProps,
  key,
  propertyNames,
  propertyOf,
  ruleText,
  schemaHas,
  valueSchema,
} from './schema.ts'
import type { DefaultRules } from './schema-defaults.ts'

interface Compiled {
  readonly rule: ValidationRule
  readonly program?: Program
  readonly error?: string
  readonly message?: Program
  readonly messageError?: string
  readonly usesOldSelf: boolean
  /** Where failures are reported, below the node. */
  readonly fieldPath: string
}

const SELF = 'selfType'

function compileRule(rule: ValidationRule, schema: JSONSchemaProps, isRoot: boolean): Compiled | { readonly internal: string } {
  const type = declType(schema, isRoot, SELF)
  if (!type) return { internal: 'failed to convert to declType for CEL validation rules' }
  const empty = { rule, usesOldSelf: false, fieldPath: '' }
  if ((rule.rule ?? '').trim() === '') return empty
  const variables = { self: type, oldSelf: rule.optionalOldSelf ? optionalOf(type) : type }
  const { program, error } = compileCel(rule.rule, variables)
  if (!program) return { ...empty, error: `compilation failed: ${error}` }
  const usesOldSelf = program.uses.has('oldSelf')
  if (program.type.kind !== 'bool') return { ...empty, error: 'cel expression must evaluate to a bool' }
  const path = rule.fieldPath ? validFieldPath(rule.fieldPath, schema).value?.path : undefined
  const done: Compiled = { rule, program, usesOldSelf, fieldPath: path ?? '' }
  if (!rule.messageExpression) return done
  const message = compileCel(rule.messageExpression, variables)
  if (!message.program) return { ...done, messageError: `messageExpression compilation failed: ${message.error}` }
  return message.program.type.kind === 'string'
    ? { ...done, message: message.program }
    : { ...done, messageError: 'messageExpression must evaluate to a string' }
}

/** What the compilation of a node's rules needs to know of its place. */
export interface RuleContext {
  readonly isRoot: boolean
}

export interface CrdRules {
  root(schema: JSONSchemaProps): RuleContext
  compiler: RuleCompiler<RuleContext>
  ofDefault: DefaultRules
  totalCost(context: RuleContext, path: string): FieldError[]
}

const compiler: RuleCompiler<RuleContext> = {
  child: (cel, _what, schema) => (cel && schema ? { isRoot: isEmbedded(schema) } : undefined),
  compile(schema, path, standard, cel) {
    const errors: FieldError[] = []
    const at = child(path, 'x-kubernetes-validations')
    for (const [i, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
      const place = key(at, String(i))
      const compiled = compileRule(rule, schema, cel.isRoot)
      if ('internal' in compiled) return [internalError(at, compiled.internal)]
      const wrong = (field: string, detail: string): void => {
        errors.push({ ...invalid(child(place, field), null, detail), badValueText: ruleText(rule) })
      }
      if (compiled.error !== undefined) wrong('rule', compiled.error)
      if (compiled.messageError !== undefined) wrong('messageExpression', compiled.messageError)
      if (compiled.usesOldSelf) {
        if (standard.uncorrelatable !== undefined) {
          errors.push(
            invalid(
              child(place, 'rule'),
              rule.rule,
              `oldSelf cannot be used on the uncorrelatable portion of the schema within ${standard.uncorrelatable}`,
            ),
          )
        }
      } else if (rule.optionalOldSelf !== undefined)
        errors.push(invalid(child(place, 'optionalOldSelf'), rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
    }
    return errors
  },
}

/** The rules of a schema and of what is below it. */
interface Validator {
  readonly schema: JSONSchemaProps
  readonly isRoot: boolean
  readonly rules: readonly (Compiled | { readonly internal: string })[]
  readonly items?: Validator
  readonly properties: ReadonlyMap<string, Validator>
  readonly additional?: Validator
}

function makeValidator(schema: JSONSchemaProps | undefined, isRoot: boolean): Validator | undefined {
  if (!schema) return undefined
  const rules = (schema['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, schema, isRoot))
  const items = itemSchema(schema)
  const values = valueSchema(schema)
  const properties = new Map<string, Validator>()
  for (const name of propertyNames(schema)) {
    const property = propertyOf(schema, name)
    // what rules cannot see they do not reach either
    const v =
      declType(property, isEmbedded(property), SELF) === undefined && escapeName(name) !== undefined
        ? undefined
        : makeValidator(property, isEmbedded(property))
    if (v) properties.set(name, v)
  }
  const [ofItems, ofValues] = [makeValidator(items, isEmbedded(items)), makeValidator(values, isEmbedded(values))]
  if (rules.length === 0 && !ofItems && !ofValues && properties.size === 0) return undefined
  return { schema, isRoot, rules, properties, ...(ofItems ? { items: ofItems } : {}), ...(ofValues ? { additional: ofValues } : {}) }
}

/** Where a value stands among the old ones; errors of what did not change are only warnings. */
interface Ratchet {
  readonly current?: Correlated | undefined
  readonly parent?: Correlated | undefined
}

const below = (r: Ratchet, next: (c: Correlated) => Correlated | undefined): Ratchet =>
  r.current ? { current: next(r.current), parent: r.current } : r
const unchanged = (r: Ratchet): boolean => isUnchanged(r.current ?? r.parent)

type Warn = ((text: string) => void) | undefined

const MAX_MESSAGE_BYTES = 5 * 1024

const ruleName = (rule: ValidationRule): string => (rule.message ? rule.message.trim() : rule.rule.trim())

/** Go's nil path. */
const shown = (path: string): string => (path === '' ? '<nil>' : path)

function failure(path: string, value: unknown, schema: JSONSchemaProps, detail: string, reason: ValidationRule['reason']): FieldError {
  // values of objects and lists are not repeated
  const omits = schema.type === 'object' || schema.type === 'array'
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail)
    case 'FieldValueRequired':
      return required(path, detail)
    case 'FieldValueDuplicate':
      return omits ? { ...duplicate(path, null), badValueText: '' } : duplicate(path, value)
    default:
      return omits ? { ...invalid(path, null, ''), badValueText: detail } : invalid(path, value, detail)
  }
}

function messageOf(compiled: Compiled, activation: Activation): string {
  const fallback = compiled.rule.message ? compiled.rule.message.trim() : `failed rule: ${ruleName(compiled.rule)}`
  if (!compiled.message) return fallback
  const { value } = evaluateCel(compiled.message.expr, activation)
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' || text.includes('\n') || byteLength(text) > MAX_MESSAGE_BYTES ? fallback : text
}

const convert = (json: unknown, v: Validator): Value | CelError => {
  try {
    return toCel(json, v.schema, v.isRoot)
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}

function ofNode(v: Validator, path: string, value: unknown, old: unknown, ratchet: Ratchet, warn: Warn): FieldError[] {
  if (v.rules.length === 0) return []
  const errors: FieldError[] = []
  const { schema } = v
  const type = schema.type ?? ''
  const self = convert(value, v)
  const oldSelf = old === undefined || old === null ? undefined : convert(old, v)
  const wrong = (detail: string): void => {
    errors.push(invalid(shown(path), type, detail))
  }
  for (const compiled of v.rules) {
    if ('internal' in compiled) {
      wrong(`rule compiler initialization error: ${compiled.internal}`)
      return errors
    }
    const { rule, program } = compiled
    if (compiled.error !== undefined) wrong(`rule compile error: ${compiled.error}`)
    if (!program || (compiled.usesOldSelf && oldSelf === undefined && !rule.optionalOldSelf)) continue
    const given = rule.optionalOldSelf ? (oldSelf === undefined || oldSelf instanceof CelError ? NONE : some(oldSelf)) : oldSelf
    const read = (x: Value | CelError) => (): Value => {
      if (x instanceof CelError) throw x
      return x
    }
    const activation: Activation = { self: read(self), ...(given === undefined ? {} : { oldSelf: read(given) }) }
    const result = evaluateCel(program.expr, activation)
    if (result.error !== undefined) {
      const name = ruleName(rule)
      if (result.error.startsWith('no such overload'))
        wrong(`'${result.error}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`)
      else if (result.error.startsWith(COST_EXCEEDED)) {
        wrong(`'${result.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${name}`)
        return errors
      } else wrong(`${result.error} evaluating rule: ${name}`)
      continue
    }
    if (result.value === true) continue
    const at = compiled.fieldPath === '' ? shown(path) : child(path, compiled.fieldPath)
    const error = failure(at, value, schema, messageOf(compiled, activation), rule.reason)
    if (!compiled.usesOldSelf && unchanged(ratchet)) warn?.(fieldErrorText(error))
    else errors.push(error)
  }
  return errors
}

function walk(v: Validator | undefined, path: string, value: unknown, old: unknown, ratchet: Ratchet, warn: Warn): FieldError[] {
  if (!v || value === null || value === undefined) return []
  const errors = ofNode(v, path, value, old, ratchet, warn)
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      errors.push(
        ...walk(
          v.items,
          key(path, String(i)),
          item,
          sameKeyed(v.schema, old, item),
          below(ratchet, (c) => childByIndex(c, i)),
          warn,
        ),
      )
    return errors
  }
  if (!isRecord(value)) return errors
  const oldMap = isRecord(old) && mapIsCorrelatable(v.schema) ? old : undefined
  for (const k of Object.keys(value).sort()) {
    const next = (c: Correlated): Correlated | undefined => childByKey(c, k)
    const at = !ratchet.parent && (k === 'apiVersion' || k === 'kind') ? {} : below(ratchet, next)
    if (v.additional) errors.push(...walk(v.additional, key(path, k), getOwn(value, k), getOwn(oldMap, k), at, warn))
    errors.push(...walk(v.properties.get(k), child(path, k), getOwn(value, k), getOwn(oldMap, k), at, warn))
  }
  return errors
}

const made = new WeakMap<JSONSchemaProps, { readonly root?: Validator | undefined; readonly part?: Validator | undefined }>()

function validatorOf(schema: JSONSchemaProps, isRoot: boolean): Validator | undefined {
  const known = made.get(schema) ?? {}
  const slot = isRoot ? 'root' : 'part'
  if (Object.hasOwn(known, slot)) return known[slot]
  const v = makeValidator(schema, isRoot)
  made.set(schema, { ...known, [slot]: v })
  return v
}

const hasRules = (schema: JSONSchemaProps): boolean => schemaHas(schema, (s) => (s['x-kubernetes-validations']?.length ?? 0) > 0)

export const crdRules = (): CrdRules => ({
  root: () => ({ isRoot: true }),
  compiler,
  ofDefault(path, schema, isResourceRoot, value) {
    if (!hasRules(schema)) return []
    const v = validatorOf(schema, isResourceRoot)
    const errors = walk(v, path, value, value, {}, undefined)
    return errors.length > 0 ? errors : walk(v, path, value, undefined, {}, undefined)
  },
  totalCost: () => [],
})

export interface ObjectRules {
  validate(object: unknown, old: unknown, warn?: (text: string) => void): FieldError[]
}

/** The rules for objects of a version, if its schema has any. */
export function objectRules(schema: JSONSchemaProps | undefined): ObjectRules | undefined {
  if (!schema || !hasRules(schema)) return undefined
  return {
    validate(object, old, warn) {
      const ratchet: Ratchet = old === undefined ? {} : { current: { value: object, old, schema } }
      return walk(validatorOf(schema, true), '', object, old, ratchet, warn)
    },
  }
}
