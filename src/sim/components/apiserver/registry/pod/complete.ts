// Fields that Go writes even when they were not given: structs, required fields, times.
import { definitionSchema, type ObjectSchema, schemaFor } from '../../../../api/schema/index.ts'

const zeros: Readonly<Record<string, unknown>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  intOrString: 0,
  time: null,
  microTime: null,
  array: null,
  map: null,
}

function complete(value: { [key: string]: unknown }, schema: ObjectSchema): void {
  for (const [name, field] of schema.fields?.() ?? []) {
    const type = field.schema.type
    const written = field.always || ((type === 'object' || type === 'time') && !field.omitZero)
    if (value[name] === undefined && !field.pointer && written) {
      if (type === 'object') value[name] = {}
      else if (Object.hasOwn(zeros, type)) value[name] = zeros[type]
    }
    if (value[name] === undefined && field.pointer && field.always) value[name] = null
    completeValue(value[name], field.schema)
  }
}

function completeValue(value: unknown, schema: ObjectSchema): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) for (const item of value) completeValue(item, schema.items as ObjectSchema)
  else if (schema.type === 'object') complete(value as { [key: string]: unknown }, schema)
}

export const completePod = (pod: object): void => completeValue(pod, schemaFor('', 'v1', 'Pod') as ObjectSchema)
export const completeTemplate = (template: object): void => completeValue(template, definitionSchema('core.v1.PodTemplateSpec'))
