// Macros: cel-go parser/macro.go, ext/comprehensions.go, cel/library.go (optional types).
import { call, type Comprehension, type Expr, ident, literal, type MapEntry, type Pos, type Problem } from './ast.ts'

const ACCU = '@result'

export type Expansion = { readonly expr: Expr } | { readonly problem: Problem } | undefined
type Macro = (pos: Pos, target: Expr | undefined, args: readonly Expr[]) => Expansion

const problem = (at: Expr, message: string): Expansion => ({ problem: { pos: at.pos, message } })
const arg = (args: readonly Expr[], i: number): Expr => args[i] as Expr

interface Fold {
  range: Expr
  variable: string
  variable2?: string | undefined
  init: Expr
  condition: Expr
  step: Expr
  result: Expr
}

const fold = (pos: Pos, f: Fold): Expansion => {
  const { variable2, ...rest } = f
  const expr: Comprehension = { kind: 'comprehension', pos, accumulator: ACCU, ...rest, ...(variable2 === undefined ? {} : { variable2 }) }
  return { expr }
}

/** The names of the iteration variables, or what is wrong with them. */
function variables(args: readonly Expr[], count: number, message: string): { names: string[] } | { wrong: Expansion } {
  const names: string[] = []
  for (let i = 0; i < count; i++) {
    const v = arg(args, i)
    if (v.kind !== 'ident') return { wrong: problem(v, message) }
    names.push(v.name)
  }
  if (count === 2 && names[0] === names[1]) return { wrong: problem(arg(args, 1), `duplicate variable name: ${names[0]}`) }
  const taken = names.indexOf(ACCU)
  return taken >= 0 ? { wrong: problem(arg(args, taken), 'iteration variable overwrites accumulator variable') } : { names }
}

const accu = (pos: Pos): Expr => ident(pos, ACCU)

const quantifier =
  (kind: 'all' | 'exists' | 'existsOne', count: number): Macro =>
  (pos, target, args) => {
    const v = variables(args, count, 'argument must be a simple name')
    if ('wrong' in v) return v.wrong
    const predicate = arg(args, count)
    const common = { range: target as Expr, variable: v.names[0] as string, variable2: v.names[1] }
    if (kind === 'all') {
      return fold(pos, {
        ...common,
        init: literal(pos, true),
        condition: call(pos, '@not_strictly_false', [accu(pos)]),
        step: call(pos, '_&&_', [accu(pos), predicate]),
        result: accu(pos),
      })
    }
    if (kind === 'exists') {
      const go = call(pos, '@not_strictly_false', [call(pos, '!_', [accu(pos)])])
      return fold(pos, {
        ...common,
        init: literal(pos, false),
        condition: go,
        step: call(pos, '_||_', [accu(pos), predicate]),
        result: accu(pos),
      })
    }
    const more = call(pos, '_+_', [accu(pos), literal(pos, 1n)])
    return fold(pos, {
      ...common,
      init: literal(pos, 0n),
      condition: literal(pos, true),
      step: call(pos, '_?_:_', [predicate, more, accu(pos)]),
      result: call(pos, '_==_', [accu(pos), literal(pos, 1n)]),
    })
  }

const emptyList = (pos: Pos): Expr => ({ kind: 'list', pos, items: [], optional: [] })
const append = (pos: Pos, item: Expr): Expr => call(pos, '_+_', [accu(pos), { kind: 'list', pos, items: [item], optional: [] }])
const when = (pos: Pos, filter: Expr | undefined, step: Expr): Expr => (filter ? call(pos, '_?_:_', [filter, step, accu(pos)]) : step)

const transform =
  (count: number, message: string): Macro =>
  (pos, target, args) => {
    const v = variables(args, count, message)
    if ('wrong' in v) return v.wrong
    const filter = args.length === count + 2 ? arg(args, count) : undefined
    const step = when(pos, filter, append(pos, arg(args, args.length - 1)))
    return fold(pos, {
      range: target as Expr,
      variable: v.names[0] as string,
      variable2: v.names[1],
      init: emptyList(pos),
      condition: literal(pos, true),
      step,
      result: accu(pos),
    })
  }

const filter: Macro = (pos, target, args) => {
  const v = variables(args, 1, 'argument is not an identifier')
  if ('wrong' in v) return v.wrong
  const step = when(pos, arg(args, 1), append(pos, arg(args, 0)))
  return fold(pos, {
    range: target as Expr,
    variable: v.names[0] as string,
    init: emptyList(pos),
    condition: literal(pos, true),
    step,
    result: accu(pos),
  })
}

const transformMap =
  (entries: boolean): Macro =>
  (pos, target, args) => {
    const v = variables(args, 2, 'argument must be a simple name')
    if ('wrong' in v) return v.wrong
    const predicate = args.length === 4 ? arg(args, 2) : undefined
    const value = arg(args, args.length - 1)
    const inserted = entries
      ? call(pos, 'cel.@mapInsert', [accu(pos), value])
      : call(pos, 'cel.@mapInsert', [accu(pos), ident(pos, v.names[0] as string), value])
    const init: Expr = { kind: 'map', pos, entries: [] as MapEntry[] }
    return fold(pos, {
      range: target as Expr,
      variable: v.names[0] as string,
      variable2: v.names[1],
      init,
      condition: literal(pos, true),
      step: when(pos, predicate, inserted),
      result: accu(pos),
    })
  }

const has: Macro = (_pos, _target, args) => {
  const [x] = args
  return x?.kind === 'select' && !x.test ? { expr: { ...x, test: true } } : problem(arg(args, 0), 'invalid argument to has() macro')
}

const optional =
  (flat: boolean): Macro =>
  (pos, target, args) => {
    const v = arg(args, 0)
    if (v.kind !== 'ident') return problem(v, `${flat ? 'optFlatMap' : 'optMap'}() variable name must be a simple identifier`)
    const at = target as Expr
    const value = call(pos, 'value', [], at)
    const mapped: Comprehension = {
      kind: 'comprehension',
      pos,
      range: emptyList(pos),
      variable: '#unused',
      accumulator: v.name,
      init: value,
      condition: literal(pos, false),
      step: ident(pos, v.name),
      result: arg(args, 1),
    }
    const some: Expr = flat ? mapped : call(pos, 'optional.of', [mapped])
    return { expr: call(pos, '_?_:_', [call(pos, 'hasValue', [], at), some, call(pos, 'optional.none', [])]) }
  }

/** By name, number of arguments and whether there is a receiver. */
const MACROS: Readonly<Record<string, Macro>> = {
  'has/1/global': has,
  'all/2': quantifier('all', 1),
  'exists/2': quantifier('exists', 1),
  'exists_one/2': quantifier('existsOne', 1),
  'existsOne/2': quantifier('existsOne', 1),
  'map/2': transform(1, 'argument is not an identifier'),
  'map/3': transform(1, 'argument is not an identifier'),
  'filter/2': filter,
  'all/3': quantifier('all', 2),
  'exists/3': quantifier('exists', 2),
  'exists_one/3': quantifier('existsOne', 2),
  'existsOne/3': quantifier('existsOne', 2),
  'transformList/3': transform(2, 'argument must be a simple name'),
  'transformList/4': transform(2, 'argument must be a simple name'),
  'transformMap/3': transformMap(false),
  'transformMap/4': transformMap(false),
  'transformMapEntry/3': transformMap(true),
  'transformMapEntry/4': transformMap(true),
  'optMap/2': optional(false),
  'optFlatMap/2': optional(true),
}

export function expand(pos: Pos, fn: string, target: Expr | undefined, args: readonly Expr[]): Expansion {
  const key = `${fn}/${args.length}${target ? '' : '/global'}`
  return Object.hasOwn(MACROS, key) ? (MACROS[key] as Macro)(pos, target, args) : undefined
}
