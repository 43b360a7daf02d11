// Label selectors: pkg/labels/selector.go and pkg/apis/meta/v1/helpers.go.
import { compareStrings, sortStrings, sortedKeys } from '../../lib/compare.ts'
import { getOwn } from '../../lib/own.ts'
import { fail, ok, type Result } from '../../lib/result.ts'
import { aggregateText } from './field-error-text.ts'
import { type FieldError, invalid, notSupported } from './field.ts'
import type { LabelSelector } from './types/kubernetes.gen.ts'
import { isValidLabelValue, isQualifiedName } from './validation/names.ts'

export type Labels = Readonly<Record<string, string>>
export type Operator = '!' | '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | 'gt' | 'lt'

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

export interface Selector {
  /** Sorted by key. Empty for everything and for nothing. */
  readonly requirements: readonly Requirement[]
  matches(labels: Labels | undefined | null): boolean
  /** Selects everything. */
  empty(): boolean
  toString(): string
}

const INT64 = /^[+-]?[0-9]+$/
const parseInt64 = (text: string): bigint | undefined => {
  if (!INT64.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value > 0x7fffffffffffffffn || value < -0x8000000000000000n ? undefined : value
}

export const requirementMatches = (r: Requirement, labels: Labels): boolean => {
  const value = getOwn(labels, r.key)
  switch (r.operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && r.values.includes(value)
    case 'notin':
    case '!=':
      return value === undefined || !r.values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt': {
      const have = value === undefined ? undefined : parseInt64(value)
      const want = r.values.length === 1 ? parseInt64(r.values[0] as string) : undefined
      if (have === undefined || want === undefined) return false
      return r.operator === 'gt' ? have > want : have < want
    }
  }
}

const SIGN: Readonly<Record<Operator, string>> = {
  '!': '',
  '=': '=',
  '==': '==',
  '!=': '!=',
  in: ' in ',
  notin: ' notin ',
  exists: '',
  gt: '>',
  lt: '<',
}

export const requirementToString = (r: Requirement): string => {
  if (r.operator === 'exists') return r.key
  if (r.operator === '!') return `!${r.key}`
  const values = sortStrings(r.values).join(',')
  return `${r.key}${SIGN[r.operator]}${r.operator === 'in' || r.operator === 'notin' ? `(${values})` : values}`
}

const NO_LABELS: Labels = {}

/** A selector of these requirements, sorted by key. */
export const newSelector = (requirements: readonly Requirement[]): Selector => {
  const sorted = [...requirements].sort((a, b) => compareStrings(a.key, b.key))
  return {
    requirements: sorted,
    matches: (labels) => sorted.every((r) => requirementMatches(r, labels ?? NO_LABELS)),
    empty: () => sorted.length === 0,
    toString: () => sorted.map(requirementToString).join(','),
  }
}

export const everything: Selector = newSelector([])
export const nothing: Selector = { requirements: [], matches: () => false, empty: () => false, toString: () => '' }

const keyError = (key: string, field: string): FieldError | undefined => {
  const errors = isQualifiedName(key)
  return errors.length > 0 ? invalid(field, key, errors.join('; ')) : undefined
}

const REQUIREMENT_OPERATORS = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!']

/** The path of a part; upstream prints a missing root as nothing, and an index or key without a root as `[0]`. */
const child = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** NewRequirement: the requirement, or the text of what is wrong with it. */
export const newRequirement = (key: string, operator: Operator, values: readonly string[], path = ''): Result<Requirement> => {
  const errors: FieldError[] = []
  const wrongKey = keyError(key, child(path, 'key'))
  if (wrongKey) errors.push(wrongKey)
  const valuePath = child(path, 'values')
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) errors.push(invalid(valuePath, values, "for 'in', 'notin' operators, values set can't be empty"))
      break
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) errors.push(invalid(valuePath, values, 'exact-match compatibility requires one single value'))
      break
    case 'exists':
    case '!':
      if (values.length !== 0) errors.push(invalid(valuePath, values, 'values set must be empty for exists and does not exist'))
      break
    case 'gt':
    case 'lt':
      if (values.length !== 1) errors.push(invalid(valuePath, values, "for 'Gt', 'Lt' operators, exactly one value is required"))
      values.forEach((value, i) => {
        if (parseInt64(value) === undefined)
          errors.push(invalid(`${valuePath}[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"))
      })
      break
    default:
      errors.push(notSupported(child(path, 'operator'), operator, REQUIREMENT_OPERATORS))
  }
  values.forEach((value, i) => {
    const messages = isValidLabelValue(value)
    if (messages.length > 0) errors.push(invalid(`${valuePath}[${i}][${key}]`, value, messages.join('; ')))
  })
  return errors.length > 0 ? fail(aggregateText(errors)) : ok({ key, operator, values })
}

type Token = 'error' | 'end' | ')' | ',' | '!' | '==' | '=' | '>' | 'identifier' | 'in' | '<' | '!=' | 'notin' | '('
interface Item {
  token: Token
  literal: string
}
const TOKENS: readonly string[] = [')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '(']
const SPACE = ' \t\r\n'
const SPECIAL = '=!(),><'

const scan = (text: string): Item[] => {
  const items: Item[] = []
  let at = 0
  for (;;) {
    while (at < text.length && SPACE.includes(text.charAt(at))) at++
    // A NUL ends the text, as it ends upstream's reader.
    if (at >= text.length || text.charAt(at) === '\0') {
      items.push({ token: 'end', literal: '' })
      return items
    }
    let buffer = ''
    if (SPECIAL.includes(text.charAt(at))) {
      let last: Item | undefined
      while (at < text.length && SPECIAL.includes(text.charAt(at))) {
        buffer += text.charAt(at)
        if (TOKENS.includes(buffer)) last = { token: buffer as Token, literal: buffer }
        else if (last) break
        at++
      }
      items.push(last ?? { token: 'error', literal: `error expected: keyword found '${buffer}'` })
    } else {
      while (at < text.length && text.charAt(at) !== '\0' && !SPECIAL.includes(text.charAt(at)) && !SPACE.includes(text.charAt(at)))
        buffer += text.charAt(at++)
      items.push({ token: TOKENS.includes(buffer) ? (buffer as Token) : 'identifier', literal: buffer })
    }
  }
}

class SelectorError extends Error {}

const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt'
const OPERATOR_OF: Partial<Record<Token, Operator>> = { in: 'in', '=': '=', '==': '==', '>': 'gt', '<': 'lt', notin: 'notin', '!=': '!=' }

const parseRequirements = (text: string, path: string): Requirement[] => {
  const items = scan(text)
  let position = 0
  const END: Item = { token: 'end', literal: '' }
  const asValue = (item: Item): Item =>
    item.token === 'in' || item.token === 'notin' ? { token: 'identifier', literal: item.literal } : item
  const lookahead = (): Item => asValue(items[position] ?? END)
  const consume = (): Item => asValue(items[position++] ?? END)
  const consumeOperator = (): Item => items[position++] ?? END

  const identifiers = (): Set<string> => {
    const values = new Set<string>()
    for (;;) {
      const { token, literal } = consume()
      if (token === 'identifier') {
        values.add(literal)
        const next = lookahead()
        if (next.token === ',') continue
        if (next.token === ')') return values
        throw new SelectorError(`found '${next.literal}', expected: ',' or ')'`)
      }
      if (token !== ',') throw new SelectorError(`found '${literal}', expected: ',', or identifier`)
      if (values.size === 0) values.add('')
      const next = lookahead()
      if (next.token === ')') {
        values.add('')
        return values
      }
      if (next.token === ',') values.add('')
    }
  }
  const setValues = (): Set<string> => {
    const open = consume()
    if (open.token !== '(') throw new SelectorError(`found '${open.literal}' expected: '('`)
    const next = lookahead()
    if (next.token === 'identifier' || next.token === ',') {
      const values = identifiers()
      if (consume().token !== ')') throw new SelectorError(`found '${next.literal}', expected: ')'`)
      return values
    }
    if (next.token === ')') {
      consume()
      return new Set([''])
    }
    throw new SelectorError(`found '${next.literal}', expected: ',', ')' or identifier`)
  }
  const exactValue = (): Set<string> => {
    const next = lookahead()
    if (next.token === 'end' || next.token === ',') return new Set([''])
    const { token, literal } = consume()
    if (token === 'identifier') return new Set([literal])
    throw new SelectorError(`found '${literal}', expected: identifier`)
  }
  const requirement = (): Requirement => {
    let item = consume()
    const negated = item.token === '!'
    if (negated) item = consume()
    if (item.token !== 'identifier') throw new SelectorError(`found '${item.literal}', expected: identifier`)
    const key = item.literal
    const wrongKey = keyError(key, path === '' ? '<nil>' : path)
    if (wrongKey) throw new SelectorError(aggregateText([wrongKey]))
    const next = lookahead()
    let operator: Operator
    let values: readonly string[] = []
    if (next.token === 'end' || next.token === ',') operator = negated ? '!' : 'exists'
    else if (negated) operator = '!'
    else {
      const { token, literal } = consumeOperator()
      const found = OPERATOR_OF[token]
      if (!found) throw new SelectorError(`found '${literal}', expected: ${BINARY_OPERATORS}`)
      operator = found
      values = sortStrings(operator === 'in' || operator === 'notin' ? setValues() : exactValue())
    }
    const made = newRequirement(key, operator, values, path)
    if (made.value === undefined) throw new SelectorError(made.error)
    return made.value
  }

  const requirements: Requirement[] = []
  for (;;) {
    const { token, literal } = lookahead()
    if (token === 'end') return requirements
    if (token !== 'identifier' && token !== '!') throw new SelectorError(`found '${literal}', expected: !, identifier, or 'end of string'`)
    try {
      requirements.push(requirement())
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`)
      throw error
    }
    const after = consume()
    if (after.token === 'end') return requirements
    if (after.token !== ',') throw new SelectorError(`found '${after.literal}', expected: ',' or 'end of string'`)
    const next = lookahead()
    if (next.token !== 'identifier' && next.token !== '!')
      throw new SelectorError(`found '${next.literal}', expected: identifier after ','`)
  }
}

/** labels.Parse: `a=b,c!=d,e in (x,y),f notin (z),g,!h,n>1`. */
export const parseSelector = (text: string, path = ''): Result<Selector> => {
  try {
    return ok(newSelector(parseRequirements(text, path)))
  } catch (error) {
    if (error instanceof SelectorError) return fail(error.message)
    throw error
  }
}

/** Selects what has all these labels; no labels select everything. */
export const selectorFromSet = (labels: Labels | undefined | null): Selector =>
  newSelector(sortedKeys(labels).map((key) => ({ key, operator: '=' as const, values: [getOwn(labels, key) as string] })))

const OBJECT_OPERATORS = new Map<string, Operator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

/** LabelSelectorAsSelector with upstream's error text: absent selects nothing, empty selects everything. */
export const convertLabelSelector = (selector: LabelSelector | undefined | null): Result<Selector> => {
  if (selector === undefined || selector === null) return ok(nothing)
  const requirements: Requirement[] = []
  for (const key of sortedKeys(selector.matchLabels)) {
    const made = newRequirement(key, '=', [getOwn(selector.matchLabels, key) as string])
    if (made.value === undefined) return made
    requirements.push(made.value)
  }
  for (const expression of selector.matchExpressions ?? []) {
    const operator = OBJECT_OPERATORS.get(expression.operator)
    if (!operator) return fail(`"${expression.operator ?? ''}" is not a valid label selector operator`)
    const made = newRequirement(expression.key ?? '', operator, expression.values ?? [])
    if (made.value === undefined) return made
    requirements.push(made.value)
  }
  return ok(requirements.length === 0 ? everything : newSelector(requirements))
}

/** LabelSelectorAsSelector; undefined for a selector that cannot be converted. */
export const labelSelectorAsSelector = (selector: LabelSelector | undefined | null): Selector | undefined =>
  convertLabelSelector(selector).value

/** Whether a LabelSelector matches; an invalid one matches nothing. */
export const selectorMatches = (selector: LabelSelector | undefined | null, labels: Labels | undefined | null): boolean =>
  labelSelectorAsSelector(selector)?.matches(labels) ?? false

export const labelSelectorToString = (selector: LabelSelector | undefined | null): string =>
  labelSelectorAsSelector(selector)?.toString() ?? ''

/** metav1.FormatLabelSelector: for people. */
export const formatLabelSelector = (selector: LabelSelector | undefined | null): string => {
  const converted = convertLabelSelector(selector)
  if (converted.value === undefined) return '<error>'
  return converted.value.toString() || '<none>'
}

/** labels.FormatLabels: `a=b,c=d`, or `<none>`. */
export const formatLabels = (labels: Labels | undefined | null): string =>
  sortedKeys(labels)
    .map((key) => `${key}=${getOwn(labels, key)}`)
    .join(',') || '<none>'
