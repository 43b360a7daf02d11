// Defaults inside schemas must be pruned and valid: apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.
import { deepEqual } from '../../../../../lib/compare.ts'
import { cloneJson } from '../../../../../lib/own.ts'
import { aggregateText } from '../../../../api/field-error-text.ts'
import { type FieldError, invalid } from '../../../../api/field.ts'
import { coerce, validateEmbedded } from './embedded.ts'
import { prune } from './pruning.ts'
import { child, embedded, hasDefault, isEmbedded, itemSchema, type JSONSchemaProps, key, propertyNames, propertyOf } from './schema.ts'
import { validateValue } from './validator.ts'

/** Puts a value where the schema node stands in its resource. */
type Surround = (value: unknown) => Record<string, unknown>

const root: Surround = (value) => {
  const object = value as Record<string, unknown>
  object.kind ??= 'Validation'
  object.apiVersion ??= 'validation/v1'
  return object
}

/** Rules (CEL) of a schema node over a default value; absent while rules are not looked at. */
export type DefaultRules = (path: string, schema: JSONSchemaProps, isResourceRoot: boolean, value: unknown) => FieldError[]

interface At {
  rootSchema: JSONSchemaProps
  surround: Surround
  insideMeta: boolean
}

/** ValidateDefaults for the schema of a resource. */
export function validateDefaults(path: string, schema: JSONSchemaProps, requirePruned: boolean, rules: DefaultRules): FieldError[] {
  const s = embedded(schema)
  return walk(path, s, { rootSchema: s, surround: root, insideMeta: false }, requirePruned, rules)
}

function walk(path: string, s: JSONSchemaProps | undefined, given: At, requirePruned: boolean, rules: DefaultRules): FieldError[] {
  if (!s) return []
  const at: At = isEmbedded(s) ? { rootSchema: s, surround: root, insideMeta: false } : given
  const errors = hasDefault(s) ? checkDefault(child(path, 'default'), s, at, requirePruned, rules) : []
  errors.push(...walk(child(path, 'items'), itemSchema(s), { ...at, surround: (x) => at.surround([x]) }, requirePruned, rules))
  for (const name of propertyNames(s)) {
    const meta = isEmbedded(s) && (name === 'metadata' || name === 'apiVersion' || name === 'kind')
    errors.push(
      ...walk(
        key(child(path, 'properties'), name),
        propertyOf(s, name),
        { ...at, surround: (x) => at.surround(Object.fromEntries([[name, x]])), insideMeta: at.insideMeta || meta },
        requirePruned,
        rules,
      ),
    )
  }
  return errors
}

function checkDefault(path: string, s: JSONSchemaProps, at: At, requirePruned: boolean, rules: DefaultRules): FieldError[] {
  const errors: FieldError[] = []
  const value = s.default
  const problem = at.insideMeta ? metadataProblem(path, value, at) : undefined
  if (!at.insideMeta && requirePruned) {
    const pruned = cloneJson(value)
    prune(pruned, s, isEmbedded(s))
    if (!deepEqual(pruned, value)) errors.push(invalid(path, value, 'must not have unknown fields'))
  }
  if (problem) return [...errors, problem]
  if (!at.insideMeta) {
    const copy = cloneJson(value)
    const coerced = coerce(path, copy, s, isEmbedded(s), { dropInvalid: false })
    if (coerced) return [...errors, coerced]
    const meta = validateEmbedded(path, copy, s, isEmbedded(s))
    if (meta.length > 0) return [...errors, ...meta]
  }
  const invalids = validateValue(path, value, s, { asDefinition: false })
  return [...errors, ...(invalids.length > 0 ? invalids : rules(path, s, s === at.rootSchema, value))]
}

function metadataProblem(path: string, value: unknown, at: At): FieldError | undefined {
  const object = at.surround(cloneJson(value))
  const coerced = coerce('', object, at.rootSchema, true, { dropInvalid: false })
  const errors = coerced ? [coerced] : validateEmbedded('', object, at.rootSchema, true)
  return errors.length > 0 ? invalid(path, value, `must result in valid metadata: ${aggregateText(errors)}`) : undefined
}
