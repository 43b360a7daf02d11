// Strings, lists, sets and optional values: cel-go ext/{strings,lists,sets}.go, cel/library.go; apiserver pkg/cel/library/{lists,regex}.go.
import { goQuote } from '../go-text.ts'
import { compileGoRegexp } from './regexp.ts'
import { type CelFunction, plain, toText } from './standard.ts'
import { celError, celMap, compare, equal, isList, isMap, isTagged, mapGet, noSuchOverload, NONE, some, type Value } from './values.ts'

const text = (v: Value | undefined): string => (typeof v === 'string' ? v : noSuchOverload())
const int = (v: Value | undefined): number => (typeof v === 'bigint' ? Number(v) : noSuchOverload())
const list = (v: Value | undefined): readonly Value[] => (v !== undefined && isList(v) ? v : noSuchOverload())
const chars = (v: Value | undefined): string[] => [...text(v)]

const find = (of: readonly string[], part: readonly string[], from: number, step: 1 | -1): number => {
  for (let i = from; i >= 0 && i + part.length <= of.length; i += step) if (part.every((c, k) => of[i + k] === c)) return i
  return -1
}

const within = (i: number, size: number): number => (i < 0 || i > size ? celError(`index out of range: ${i}`) : i)

const substring: CelFunction = (s, from, to) => {
  const c = chars(s)
  const start = within(int(from), c.length)
  const end = to === undefined ? c.length : within(int(to), c.length)
  return start > end ? celError(`invalid substring range. start: ${start}, end: ${end}`) : c.slice(start, end).join('')
}

const replace: CelFunction = (s, old, by, n) => {
  const limit = n === undefined ? -1 : int(n)
  const parts = text(s).split(text(old))
  if (limit < 0 || parts.length - 1 <= limit) return parts.join(text(by))
  return [...parts.slice(0, limit), parts.slice(limit).join(text(old))].join(text(by))
}

const split: CelFunction = (s, separator, n) => {
  const limit = n === undefined ? -1 : int(n)
  if (limit === 0) return []
  const sep = text(separator)
  const parts = sep === '' ? chars(s) : text(s).split(sep)
  return limit < 0 || parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(sep)]
}

const ascii = (s: string, from: RegExp, change: (c: string) => string): string => s.replace(from, change)

/** %s of string.format. */
function formatText(v: Value): string {
  if (isList(v)) return `[${v.map(formatText).join(', ')}]`
  if (isMap(v)) {
    const pairs = [...v.entries.values()].map(([k, x]) => `${formatText(k)}: ${formatText(x)}`)
    return `{${pairs.sort().join(', ')}}`
  }
  if (v === null) return 'null'
  if (isTagged(v) && v.cel === 'type') return v.name
  return toText(v) as string
}

const format: CelFunction = (template, args) => {
  const values = list(args)
  let n = 0
  const next = (): Value => {
    const v = values[n++]
    return v === undefined ? celError(`index ${n - 1} out of range`) : v
  }
  const whole = (v: Value, verb: string): bigint =>
    typeof v === 'bigint'
      ? v
      : isTagged(v) && v.cel === 'uint'
        ? v.value
        : celError(`error during formatting: ${verb} clause can only be used on integers`)
  return text(template).replace(/%(?:%|(?:\.(\d+))?([a-zA-Z]))/g, (m, precision: string | undefined, verb: string | undefined) => {
    if (m === '%%') return '%'
    const v = next()
    switch (verb) {
      case 's':
        return formatText(v)
      case 'd':
        return plain(whole(v, 'decimal'))
      case 'f':
        return typeof v === 'number'
          ? v.toFixed(precision === undefined ? 6 : Number(precision))
          : celError('error during formatting: fixed-point clause can only be used on doubles')
      case 'e':
        return typeof v === 'number'
          ? v.toExponential(precision === undefined ? 6 : Number(precision)).replace(/e([-+])(\d)$/, 'e$10$2')
          : celError('error during formatting: scientific clause can only be used on doubles')
      case 'b':
        return typeof v === 'boolean' ? (v ? '1' : '0') : whole(v, 'binary').toString(2)
      case 'o':
        return whole(v, 'octal').toString(8)
      case 'x':
      case 'X': {
        const hex =
          typeof v === 'string'
            ? [...v].map((c) => (c.codePointAt(0) as number).toString(16)).join('')
            : whole(v, 'hexadecimal').toString(16)
        return verb === 'X' ? hex.toUpperCase() : hex
      }
      default:
        return celError(`error during formatting: unrecognized formatting clause "${verb}"`)
    }
  })
}

const best =
  (wanted: -1 | 1, name: string): CelFunction =>
  (l) => {
    const items = list(l)
    if (items.length === 0) return celError(`${name} called on empty list`)
    return items.reduce((a, b) => (Math.sign(compare(b, a)) === wanted ? b : a))
  }

function sum(items: readonly Value[], add: CelFunction): Value {
  const [first, ...rest] = items
  return first === undefined ? 0n : rest.reduce((a, b) => add(a, b), first)
}

const flatten = (items: readonly Value[], depth: number): readonly Value[] =>
  items.flatMap((x) => (isList(x) && depth > 0 ? flatten(x, depth - 1) : [x]))

const isZero = (v: Value): boolean => {
  if (v === null || v === false || v === 0n || v === 0 || v === '') return true
  if (isList(v)) return v.length === 0
  if (!isTagged(v)) return false
  if (v.cel === 'map') return v.entries.size === 0
  if (v.cel === 'bytes') return v.value.length === 0
  return (v.cel === 'uint' && v.value === 0n) || (v.cel === 'duration' && v.ns === 0n)
}

const optionalOf = (v: Value | undefined): { readonly value?: Value } =>
  v !== undefined && isTagged(v) && v.cel === 'optional' ? v : noSuchOverload()

const optionalIndex: CelFunction = (of, key) => {
  const inner = isTagged(of as Value) && (of as { cel: string }).cel === 'optional' ? optionalOf(of).value : of
  if (inner === undefined) return NONE
  if (isList(inner)) {
    const found = inner[int(key)]
    return found === undefined ? NONE : some(found)
  }
  const found = isMap(inner) ? mapGet(inner, key as Value) : noSuchOverload()
  return found === undefined ? NONE : some(found)
}

const regexp = (pattern: Value | undefined): RegExp => {
  const { value, error } = compileGoRegexp(text(pattern))
  return value ?? celError(`Illegal regex: ${error}`)
}

const subset = (a: readonly Value[], b: readonly Value[]): boolean => b.every((y) => a.some((x) => equal(x, y)))

export function extensions(add: CelFunction): Readonly<Record<string, CelFunction>> {
  return {
    charAt: (s, i) => {
      const c = chars(s)
      return c[within(int(i), c.length)] ?? ''
    },
    indexOf: (s, part, from) => {
      if (isList(s as Value)) return BigInt(list(s).findIndex((x) => equal(x, part as Value)))
      const c = chars(s)
      const at = from === undefined ? 0 : within(int(from), c.length)
      return text(part) === '' ? BigInt(at) : BigInt(find(c, chars(part), at, 1))
    },
    lastIndexOf: (s, part, from) => {
      if (isList(s as Value)) return BigInt(list(s).findLastIndex((x) => equal(x, part as Value)))
      const c = chars(s)
      const p = chars(part)
      const at = from === undefined ? c.length : within(int(from), c.length)
      return BigInt(p.length === 0 ? at : find(c, p, Math.min(at, c.length - p.length), -1))
    },
    lowerAscii: (s) => ascii(text(s), /[A-Z]/g, (c) => c.toLowerCase()),
    upperAscii: (s) => ascii(text(s), /[a-z]/g, (c) => c.toUpperCase()),
    replace,
    split,
    substring,
    trim: (s) => text(s).replace(/^[\s\u0085]+|[\s\u0085]+$/gu, ''),
    join: (l, separator) =>
      list(l)
        .map((x) => text(x))
        .join(separator === undefined ? '' : text(separator)),
    format,
    'strings.quote': (s) => goQuote(text(s)),
    find: (s, pattern) => regexp(pattern).exec(text(s))?.[0] ?? '',
    findAll: (s, pattern, n) => {
      const found = [...text(s).matchAll(new RegExp(regexp(pattern).source, 'gu'))].map((m) => m[0])
      return n === undefined || int(n) < 0 ? found : found.slice(0, int(n))
    },
    isSorted: (l) => list(l).every((x, i, all) => i === 0 || compare(all[i - 1] as Value, x) <= 0),
    sum: (l) => sum(list(l), add),
    max: best(1, 'max'),
    min: best(-1, 'min'),
    slice: (l, from, to) => {
      const [items, start, end] = [list(l), int(from), int(to)]
      if (start < 0 || end < 0) return celError(`cannot slice(${start}, ${end}), negative indexes not supported`)
      if (start > end) return celError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
      return end > items.length ? celError(`cannot slice(${start}, ${end}), list is length ${items.length}`) : items.slice(start, end)
    },
    flatten: (l, depth) => flatten(list(l), depth === undefined ? 1 : int(depth)),
    sort: (l) => [...list(l)].sort(compare),
    distinct: (l) => list(l).filter((x, i, all) => all.findIndex((y) => equal(x, y)) === i),
    reverse: (l) => [...list(l)].reverse(),
    'lists.range': (n) => Array.from({ length: Math.max(0, int(n)) }, (_, i) => BigInt(i)),
    first: (l) => (list(l).length > 0 ? some(list(l)[0] as Value) : NONE),
    last: (l) => (list(l).length > 0 ? some(list(l).at(-1) as Value) : NONE),
    'sets.contains': (a, b) => subset(list(a), list(b)),
    'sets.equivalent': (a, b) => subset(list(a), list(b)) && subset(list(b), list(a)),
    'sets.intersects': (a, b) => list(a).some((x) => list(b).some((y) => equal(x, y))),
    'cel.@mapInsert': (m, key, value) => {
      if (!isMap(m as Value)) return noSuchOverload()
      const pairs = [...(m as Extract<Value, { cel: 'map' }>).entries.values()]
      const more: (readonly [Value, Value])[] =
        value === undefined
          ? isMap(key as Value)
            ? [...(key as Extract<Value, { cel: 'map' }>).entries.values()]
            : noSuchOverload()
          : [[key as Value, value]]
      for (const [k] of more) if (pairs.some(([other]) => equal(other, k))) return celError(`insert failed: key ${plain(k)} already exists`)
      return celMap([...pairs, ...more])
    },
    'optional.of': (v) => some(v as Value),
    'optional.ofNonZeroValue': (v) => (isZero(v as Value) ? NONE : some(v as Value)),
    'optional.none': () => NONE,
    value: (o) => optionalOf(o).value ?? (Object.hasOwn(optionalOf(o), 'value') ? null : celError('optional.none() dereference')),
    hasValue: (o) => Object.hasOwn(optionalOf(o), 'value'),
    or: (o, other) => (Object.hasOwn(optionalOf(o), 'value') ? (o as Value) : (other as Value)),
    orValue: (o, other) => (Object.hasOwn(optionalOf(o), 'value') ? (optionalOf(o).value as Value) : (other as Value)),
    unwrapOpt: (l) => list(l).flatMap((x) => (Object.hasOwn(optionalOf(x), 'value') ? [optionalOf(x).value as Value] : [])),
    '_[?_]': optionalIndex,
  }
}
