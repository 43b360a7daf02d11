// JSON paths of printer columns and selectable fields: client-go util/jsonpath, without range.
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { fail, ok, type Result } from '../../../../../lib/result.ts'
import { goFloatText } from '../../../../api/cel/go-float.ts'
import { goJson } from '../../../../api/go-text.ts'

type Node =
  | { do: 'field'; name: string }
  | { do: 'wildcard' }
  | { do: 'recursive' }
  | { do: 'value'; value: unknown }
  | { do: 'slice'; from?: number; to?: number; derived: boolean; step?: number }
  | { do: 'union'; lists: readonly Node[][] }
  | { do: 'filter'; left: readonly Node[]; operator: string; right: readonly Node[] }

export type JsonPath = readonly Node[]

const isTerminator = (c: string): boolean => c === '' || ' \t\r\n.,[]$@{}'.includes(c)

class BadPath extends Error {}
const bad = (message: string): never => {
  throw new BadPath(message)
}

/** Parses `.spec.size`: what stands between the braces of a template. */
export function parseJsonPath(text: string): Result<JsonPath> {
  try {
    return ok(parse(text))
  } catch (error) {
    if (error instanceof BadPath) return fail(error.message)
    throw error
  }
}

function parse(text: string): Node[] {
  const nodes: Node[] = []
  let i = 0
  const field = (): void => {
    let name = ''
    while (!isTerminator(text.charAt(i))) {
      if (text.charAt(i) === '\\') i++
      name += text.charAt(i)
      i++
    }
    nodes.push(name === '*' ? { do: 'wildcard' } : { do: 'field', name })
  }
  while (i < text.length) {
    const c = text.charAt(i)
    if (text.startsWith('[?(', i)) {
      const end = filterEnd(text, i + 3)
      nodes.push(filter(text.slice(i + 3, end)))
      i = end + 2
    } else if (text.startsWith('..', i)) {
      if (nodes.at(-1)?.do === 'recursive') bad('invalid multiple recursive descent')
      nodes.push({ do: 'recursive' })
      i += 2
      if (/[\p{L}\p{Nd}_]/u.test(text.charAt(i))) field()
    } else if (c === ' ' || c === '@' || c === '$') i++
    else if (c === '[') {
      const end = text.indexOf(']', i)
      if (end < 0) bad('unterminated array')
      nodes.push(...array(text.slice(i + 1, end)))
      i = end + 1
    } else if (c === '"' || c === "'") {
      let end = i + 1
      while (end < text.length && !(text.charAt(end) === c && text.charAt(end - 1) !== '\\')) end++
      if (end >= text.length) bad('unterminated quoted string')
      nodes.push({ do: 'value', value: text.slice(i + 1, end).replace(/\\(.)/g, '$1') })
      i = end + 1
    } else if (c === '.') {
      i++
      field()
    } else if (/[-+0-9]/.test(c)) {
      const m = /^[-+]?[0-9.]*/.exec(text.slice(i)) as RegExpExecArray
      const value = Number(m[0])
      if (m[0] === '' || Number.isNaN(value)) bad(`cannot parse number ${m[0]}`)
      nodes.push({ do: 'value', value })
      i += m[0].length
    } else if (/[\p{L}_]/u.test(c)) {
      let end = i
      while (!isTerminator(text.charAt(end))) end++
      const word = text.slice(i, end)
      if (word !== 'true' && word !== 'false') bad(`unrecognized identifier ${word}`)
      nodes.push({ do: 'value', value: word === 'true' })
      i = end
    } else bad(`unrecognized character in action: ${c}`)
  }
  return nodes
}

/** Position of the `)` that closes a filter; a quoted text may hold others. */
function filterEnd(text: string, from: number): number {
  let quote: string | undefined
  let closed = false
  for (let i = from; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '"' || c === "'") {
      if (quote === undefined) quote = c
      else if (text.charAt(i - 1) !== '\\' && c === quote) closed = true
    } else if (c === ')' && (quote !== undefined) === closed) return text.charAt(i + 1) === ']' ? i : bad('unclosed array expect ]')
  }
  return bad('unterminated filter')
}

function filter(text: string): Node {
  const m = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(text)
  if (!m) return { do: 'filter', left: parse(text), operator: 'exists', right: [] }
  return { do: 'filter', left: parse(m[1] as string), operator: m[2] as string, right: parse((m[3] as string).trim()) }
}

function array(given: string): Node[] {
  const text = given === '*' ? ':' : given
  if (text.includes(',')) return [{ do: 'union', lists: text.split(',').map((part) => array(part.trim())) }]
  const quoted = /^'([^']*)'$/.exec(text)
  if (quoted) return parse(`.${quoted[1]}`)
  const m = /^(-?[\d]*)(:-?[\d]*)?(:-?[\d]*)?$/.exec(text)
  if (!m) return bad(`invalid array index ${text}`)
  const number = (part: string | undefined): number | undefined => {
    const digits = (part ?? '').replace(/^:/, '')
    if (digits === '') return undefined
    return /^-?\d+$/.test(digits) ? Number(digits) : bad(`array index ${digits} is not a number`)
  }
  const from = number(m[1])
  const derived = m[2] === undefined
  const to = derived ? (from ?? 0) + 1 : number(m[2])
  const step = number(m[3])
  return [
    {
      do: 'slice',
      derived,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(step === undefined ? {} : { step }),
    },
  ]
}

/** FindResults with missing keys allowed: the values found, undefined after an error. */
export function findJsonPath(path: JsonPath, data: unknown): readonly unknown[] | undefined {
  try {
    return walk(path, [data])
  } catch (error) {
    if (error instanceof BadPath) return undefined
    throw error
  }
}

const membersOf = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value
  if (isRecord(value))
    return Object.keys(value)
      .sort()
      .map((k) => getOwn(value, k))
  return typeof value === 'string' ? [...value] : []
}

function descend(value: unknown): unknown[] {
  const members = membersOf(value)
  return members.length === 0 || typeof value === 'string' ? [] : [value, ...members.flatMap(descend)]
}

const walk = (path: JsonPath, values: readonly unknown[]): unknown[] => path.reduce<unknown[]>((now, node) => step(node, now), [...values])

function step(node: Node, values: readonly unknown[]): unknown[] {
  const present = values.filter((v) => v !== null && v !== undefined)
  switch (node.do) {
    case 'field':
      return present.flatMap((v) => (isRecord(v) && Object.hasOwn(v, node.name) ? [getOwn(v, node.name)] : []))
    case 'wildcard':
      return present.flatMap(membersOf)
    case 'recursive':
      return present.flatMap(descend)
    case 'value':
      return values.map(() => node.value)
    case 'union':
      return node.lists.flatMap((list) => walk(list, values))
    case 'slice':
      return present.flatMap((v) => slice(node, v))
    case 'filter':
      return present.flatMap((v) =>
        Array.isArray(v) ? v.filter((item) => passes(node, item)) : bad('not array or slice and cannot be filtered'),
      )
  }
}

function slice(node: Extract<Node, { do: 'slice' }>, value: unknown): unknown[] {
  if (!Array.isArray(value)) return bad('not array or slice')
  const { length } = value
  let from = node.from ?? 0
  if (from < 0) from += length
  let to = node.to ?? length
  if (to < 0 || (to === 0 && node.derived)) to += length
  if (from === to) return []
  if (from >= length || from < 0 || to > length || to < 0) return bad('array index out of bounds')
  if (from > to) return bad('starting index is greater than ending index')
  if (node.step !== undefined && node.step <= 0) return bad('step must be > 0')
  return value.slice(from, to).filter((_, i) => i % (node.step ?? 1) === 0)
}

function passes(node: Extract<Node, { do: 'filter' }>, item: unknown): boolean {
  const lefts = walk(node.left, [item])
  if (node.operator === 'exists') return lefts.length > 0
  const rights = walk(node.right, [item])
  if (lefts.length === 0 || rights.length === 0) return false
  if (lefts.length > 1 || rights.length > 1) return bad('can only compare one element at a time')
  const [left, right] = [lefts[0], rights[0]]
  if (typeof left !== typeof right || isRecord(left) || Array.isArray(left)) return bad('incompatible types for comparison')
  const [a, b] = [left as string | number, right as string | number]
  switch (node.operator) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    default:
      return bad(`unrecognized filter operator ${node.operator}`)
  }
}

/** fmt.Sprint of a value from JSON, and what PrintResults writes: lists and maps as JSON. */
export const printValue = (value: unknown): string => {
  if (value === null || value === undefined) return '<no value>'
  if (typeof value === 'object') return goJson(value)
  return typeof value === 'number' && !Number.isInteger(value) ? goFloatText(value) : String(value)
}
