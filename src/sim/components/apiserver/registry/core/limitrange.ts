// v1 LimitRange (pkg/registry/core/limitrange, ValidateLimitRange, SetDefaults_LimitRangeItem).
import { duplicate, type FieldError, forbidden, invalid, required } from '../../../../api/field.ts'
import { compareQuantities, quantityMilliValue, quantityValue } from '../../../../api/quantity.ts'
import type { LimitRangeItem } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { at, has, keysOf, put } from '../pod/maps.ts'
import {
  isExtendedResourceName,
  isNativeResource,
  isOvercommitAllowed,
  isStandardContainerResourceName,
  quantityString,
} from '../pod/quantities.ts'
import type { KindStrategy } from '../strategy.ts'
import { roundUpResourceList, validateResourceName } from './resourcelist.ts'
import { defaultColumns, defaultRow, invalidEach, isQualifiedName, namespacedMeta } from './rules.ts'
import { randomUUID } from './uuid.ts'

type Quantities = { [key: string]: string } | undefined
const types = ['Pod', 'Container', 'PersistentVolumeClaim']
const maxMilliValue = 9_223_372_036_854_775

function validateType(type: string, field: string): FieldError[] {
  const errors = invalidEach(field, type, isQualifiedName(type))
  if (errors.length > 0 || type.includes('/') || types.includes(type)) return errors
  return [invalid(field, type, 'must be a standard limit type or fully qualified')]
}

function validateName(type: string, name: string, field: string): FieldError[] {
  const errors = validateResourceName(name, field)
  if (type !== 'Pod' && type !== 'Container') return errors
  if (!name.includes('/')) {
    if (!isStandardContainerResourceName(name)) errors.push(invalid(field, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResourceName(name))
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"))
  return errors
}

/** Go's %f. */
const fixed6 = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(6) : value > 0 ? '+Inf' : Number.isNaN(value) ? 'NaN' : '-Inf'

function ratioLimit(ratio: string, min: string, max: string): string | undefined {
  let [r, lo, hi] = [quantityValue(ratio), quantityValue(min), quantityValue(max)]
  if (r < maxMilliValue && lo < maxMilliValue && hi < maxMilliValue) {
    ;[r, lo, hi] = [quantityMilliValue(ratio) / 1000, quantityMilliValue(min), quantityMilliValue(max)]
  }
  return r > hi / lo ? `ratio ${quantityString(ratio)} is greater than max/min = ${fixed6(hi / lo)}` : undefined
}

/** All that one resource's numbers must obey among themselves. */
function compareAll(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  const text = quantityString
  const min = at(item.min as Quantities, name)
  const max = at(item.max as Quantities, name)
  const isPod = item.type === 'Pod'
  const limit = isPod ? undefined : at(item.default as Quantities, name)
  const request = isPod ? undefined : at(item.defaultRequest as Quantities, name)
  const ratio = at(item.maxLimitRequestRatio as Quantities, name)
  const above = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && compareQuantities(a, b) > 0
  const say = (field: string, value: string | undefined, detail: string): void => {
    errors.push(invalid(`${path}.${field}[${name}]`, text(value ?? '0'), detail))
  }
  const t = (q: string | undefined): string => text(q ?? '0')
  if (above(min, max)) say('min', min, `min value ${t(min)} is greater than max value ${t(max)}`)
  if (above(min, request)) say('defaultRequest', request, `min value ${t(min)} is greater than default request value ${t(request)}`)
  if (above(request, max)) say('defaultRequest', request, `default request value ${t(request)} is greater than max value ${t(max)}`)
  if (above(request, limit))
    say('defaultRequest', request, `default request value ${t(request)} is greater than default limit value ${t(limit)}`)
  if (above(min, limit)) say('default', min, `min value ${t(min)} is greater than default value ${t(limit)}`)
  if (above(limit, max)) say('default', max, `default value ${t(limit)} is greater than max value ${t(max)}`)
  if (ratio !== undefined && compareQuantities(ratio, '1') < 0) say('maxLimitRequestRatio', ratio, `ratio ${t(ratio)} is less than 1`)
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const problem = ratioLimit(ratio, min, max)
    if (problem !== undefined) say('maxLimitRequestRatio', ratio, problem)
  }
  if (!isOvercommitAllowed(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0) {
    say('defaultRequest', request, `default value ${t(limit)} must equal to defaultRequest value ${t(request)} in ${name}`)
  }
  return errors
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const type = item.type ?? ''
  const names = new Set<string>()
  const list = (field: 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio'): FieldError[] =>
    keysOf(item[field]).flatMap((name) => {
      names.add(name)
      return validateName(type, name, `${path}.${field}[${name}]`)
    })
  const errors = [...list('max'), ...list('min')]
  if (type === 'Pod') {
    const text = "may not be specified when `type` is 'Pod'"
    for (const field of ['default', 'defaultRequest'] as const)
      if (keysOf(item[field]).length > 0) errors.push(forbidden(`${path}.${field}`, text))
  } else errors.push(...list('default'), ...list('defaultRequest'))
  if (type === 'PersistentVolumeClaim' && !has(item.min, 'storage') && !has(item.max, 'storage')) {
    errors.push(required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'))
  }
  errors.push(...list('maxLimitRequestRatio'))
  for (const name of [...names].sort()) errors.push(...compareAll(item, name, path))
  return errors
}

function validate(o: KubeObject): FieldError[] {
  const errors = namespacedMeta(o)
  const seen = new Set<string>()
  for (const [i, item] of ((o.spec?.limits ?? []) as LimitRangeItem[]).entries()) {
    const path = `spec.limits[${i}]`
    const type = item.type ?? ''
    errors.push(...validateType(type, `${path}.type`))
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type))
    seen.add(type)
    errors.push(...validateItem(item, path))
  }
  return errors
}

/** For containers: limits from the maximum, requests from the limits, else from the minimum. */
function defaultItem(item: LimitRangeItem): void {
  for (const field of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
    roundUpResourceList(item[field] as Quantities)
  item.type ??= ''
  if (item.type !== 'Container') return
  const fill = (into: 'default' | 'defaultRequest', from: Quantities): void => {
    for (const key of keysOf(from)) {
      if (has(item[into], key)) continue
      item[into] ??= {}
      put(item[into] as { [key: string]: string }, key, at(from, key) ?? '0')
    }
  }
  fill('default', item.max as Quantities)
  fill('defaultRequest', item.default as Quantities)
  fill('defaultRequest', item.min as Quantities)
}

export const limitRange: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  categories: [],
  namespaced: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.limits ??= null
    for (const item of (o.spec.limits ?? []) as LimitRangeItem[]) defaultItem(item)
  },
  prepareForCreate(o, view) {
    if (!o.metadata.name && !o.metadata.generateName) o.metadata.name = randomUUID(view)
  },
  validate,
  validateUpdate: validate,
  columns: defaultColumns,
  row: defaultRow,
}
