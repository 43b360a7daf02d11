// Types of expressions, and what is wrong with them: cel-go checker/checker.go.
import { getOwn } from '../../../lib/own.ts'
import type { Comprehension, Expr, Pos, Problem } from './ast.ts'
import { type Overload, overloadsOf, TYPE_NAMES } from './declarations.ts'
import { compileGoRegexp } from './regexp.ts'
import {
  assignable,
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  isDyn,
  isDynOrError,
  listOf,
  mapOf,
  type Mapping,
  mostGeneral,
  NULL,
  optionalOf,
  STRING,
  sameType,
  substitute,
  type Type,
  typeText,
  UINT,
  unwrapOptional,
} from './types.ts'
import { parseDuration, parseTimestamp } from './values.ts'

/** What an expression may name, with its type. */
export type Variables = Readonly<Record<string, Type>>

interface Scope {
  readonly names: ReadonlyMap<string, Type>
  readonly outer?: Scope
}

/** `a.b.c` of selections that could be a qualified name. */
export function qualifiedName(e: Expr): string | undefined {
  if (e.kind === 'ident') return e.name
  if (e.kind !== 'select' || e.test) return undefined
  const prefix = qualifiedName(e.operand)
  return prefix === undefined ? undefined : `${prefix}.${e.field}`
}

export interface Checked {
  readonly type: Type
  readonly problems: readonly Problem[]
  /** Names of variables that the expression uses. */
  readonly uses: ReadonlySet<string>
}

class Checker {
  readonly problems: Problem[] = []
  readonly uses = new Set<string>()
  private mapping: Mapping = new Map()
  private fresh = 0
  private scope: Scope = { names: new Map() }
  private readonly variables: Variables

  constructor(variables: Variables) {
    this.variables = variables
  }

  run(e: Expr): Type {
    return substitute(this.mapping, this.check(e), true)
  }

  private say(pos: Pos, message: string): void {
    this.problems.push({ pos, message })
  }

  private fits(a: Type, b: Type): boolean {
    return this.fitAll([a], [b])
  }

  private fitAll(a: readonly Type[], b: readonly Type[]): boolean {
    const mapping = assignable(this.mapping, a, b)
    if (mapping) this.mapping = mapping
    return mapping !== undefined
  }

  private lookup(given: string): Type | undefined {
    const name = given.replace(/^\./, '')
    if (!given.startsWith('.')) for (let s: Scope | undefined = this.scope; s; s = s.outer) if (s.names.has(name)) return s.names.get(name)
    const found = getOwn(this.variables, name)
    if (found) this.uses.add(name)
    return found ?? getOwn(TYPE_NAMES, name)
  }

  private undeclared(pos: Pos, name: string): Type {
    this.say(pos, `undeclared reference to '${name}' (in container '')`)
    return ERROR
  }

  private mismatch(pos: Pos, expected: Type, actual: Type): void {
    this.say(
      pos,
      `expected type '${typeText(substitute(this.mapping, expected, true))}' but found '${typeText(substitute(this.mapping, actual, true))}'`,
    )
  }

  private check(e: Expr): Type {
    switch (e.kind) {
      case 'literal': {
        const v = e.value
        if (v === null) return NULL
        if (typeof v === 'boolean') return BOOL
        if (typeof v === 'bigint') return INT
        if (typeof v === 'number') return DOUBLE
        if (typeof v === 'string') return STRING
        return 'uint' in v ? UINT : BYTES
      }
      case 'ident':
        return this.lookup(e.name) ?? this.undeclared(e.pos, e.name)
      case 'select': {
        const name = qualifiedName(e)
        const found = name === undefined ? undefined : this.lookupQualified(name)
        if (found) return found
        const type = this.select(e.pos, e.operand, e.field, false)
        return e.test ? BOOL : substitute(this.mapping, type, false)
      }
      case 'call':
        return this.call(e)
      case 'list': {
        let item: Type | undefined
        for (const [i, x] of e.items.entries()) item = this.join(x.pos, item, this.optionalEntry(x, this.check(x), e.optional.includes(i)))
        return listOf(item ?? this.param())
      }
      case 'map': {
        let key: Type | undefined
        let value: Type | undefined
        for (const entry of e.entries) {
          key = this.join(entry.key.pos, key, this.check(entry.key))
          value = this.join(entry.value.pos, value, this.optionalEntry(entry.value, this.check(entry.value), entry.optional))
        }
        return mapOf(key ?? this.param(), value ?? this.param())
      }
      case 'struct':
        return this.struct(e)
      case 'comprehension':
        return this.comprehension(e)
    }
  }

  /** A dotted name; its first part must not be a local variable. */
  private lookupQualified(name: string): Type | undefined {
    const first = name.split('.')[0] as string
    for (let s: Scope | undefined = this.scope; s; s = s.outer) if (s.names.has(first)) return undefined
    return this.lookup(name)
  }

  private param(): Type {
    return { kind: 'param', name: `_var${this.fresh++}` }
  }

  private optionalEntry(e: Expr, type: Type, optional: boolean): Type {
    if (!optional) return type
    const inner = unwrapOptional(type)
    if (!inner && !isDyn(type)) this.mismatch(e.pos, optionalOf(type), type)
    return inner ?? type
  }

  private join(pos: Pos, previous: Type | undefined, current: Type): Type {
    if (!previous) return current
    if (this.fits(previous, current)) return mostGeneral(previous, current)
    this.mismatch(pos, previous, current)
    return ERROR
  }

  private select(pos: Pos, operand: Expr, field: string, optional: boolean): Type {
    const given = substitute(this.mapping, this.check(operand), false)
    const inner = unwrapOptional(given)
    const target = inner ?? given
    let result: Type = ERROR
    if (target.kind === 'map') result = target.value
    else if (target.kind === 'object') {
      const found = getOwn(target.fields, field)
      if (found) result = found
      else this.say(pos, `undefined field '${field}'`)
    } else if (target.kind === 'param') {
      this.fits(DYN, target)
      result = DYN
    } else {
      if (!isDynOrError(target)) this.say(pos, `type '${typeText(target)}' does not support field selection`)
      result = DYN
    }
    return inner || optional ? optionalOf(result) : result
  }

  private call(e: Extract<Expr, { kind: 'call' }>): Type {
    if (e.fn === '_?._') {
      const [operand, field] = e.args as [Expr, Expr]
      const name = field.kind === 'literal' && typeof field.value === 'string' ? field.value : ''
      return substitute(this.mapping, this.select(e.pos, operand, name, true), false)
    }
    const args = e.args.map((a) => this.check(a))
    if (!e.target) {
      const overloads = overloadsOf(e.fn.replace(/^\./, ''))
      return overloads ? this.resolve(e, e.fn.replace(/^\./, ''), overloads, args, e.args, false) : this.undeclared(e.pos, e.fn)
    }
    const prefix = qualifiedName(e.target)
    const qualified = prefix === undefined ? undefined : overloadsOf(`${prefix}.${e.fn}`)
    if (qualified) return this.resolve(e, `${prefix}.${e.fn}`, qualified, args, e.args, false)
    const target = this.check(e.target)
    const overloads = overloadsOf(e.fn)
    return overloads ? this.resolve(e, e.fn, overloads, [target, ...args], [e.target, ...e.args], true) : this.undeclared(e.pos, e.fn)
  }

  private resolve(
    e: Expr,
    name: string,
    overloads: readonly Overload[],
    types: readonly Type[],
    args: readonly Expr[],
    member: boolean,
  ): Type {
    if (name === '_&&_' || name === '_||_') {
      let wrong = false
      for (const [i, t] of types.entries()) {
        if (this.fits(t, BOOL)) continue
        wrong = true
        this.mismatch((args[i] as Expr).pos, BOOL, t)
      }
      return wrong ? ERROR : BOOL
    }
    let result: Type | undefined
    for (const overload of overloads) {
      if (overload.member !== member) continue
      const own: Mapping = new Map(overload.params.map((p) => [p, this.param()]))
      if (
        !this.fitAll(
          types,
          overload.args.map((t) => substitute(own, t, false)),
        )
      )
        continue
      const found = substitute(this.mapping, substitute(own, overload.result, false), false)
      if (!result) result = found
      else if (!isDyn(result) && !sameType(found, result)) result = DYN
    }
    if (result) return result
    const texts = types.map((t) => typeText(substitute(this.mapping, t, true)))
    const signature = member ? `${texts[0]}.(${texts.slice(1).join(', ')})` : `(${texts.join(', ')})`
    this.say(e.pos, `found no matching overload for '${name}' applied to '${signature}'`)
    return ERROR
  }

  private struct(e: Extract<Expr, { kind: 'struct' }>): Type {
    const name = e.type.replace(/^\./, '')
    const found = getOwn(this.variables, name) ?? getOwn(TYPE_NAMES, name)
    if (!found) return this.undeclared(e.pos, e.type)
    if (found.kind !== 'type') {
      this.say(e.pos, `'${typeText(found)}' is not a type`)
      return ERROR
    }
    const type = found.of ?? ERROR
    if (type.kind !== 'object') {
      this.say(e.pos, `'${typeText(type)}' is not a message type`)
      return ERROR
    }
    for (const f of e.fields) {
      const value = this.optionalEntry(f.value, this.check(f.value), f.optional)
      const wanted = getOwn(type.fields, f.name)
      if (!wanted) this.say(f.pos, `undefined field '${f.name}'`)
      else if (!this.fits(wanted, value))
        this.say(f.pos, `expected type of field '${f.name}' is '${typeText(wanted)}' but provided type is '${typeText(value)}'`)
    }
    return type
  }

  private enter(names: ReadonlyMap<string, Type>): void {
    this.scope = { names, outer: this.scope }
  }

  private leave(): void {
    this.scope = this.scope.outer as Scope
  }

  private comprehension(e: Comprehension): Type {
    const given = this.check(e.range)
    const accumulator = this.check(e.init)
    const range = substitute(this.mapping, given, false)
    this.enter(new Map([[e.accumulator, accumulator]]))
    let first: Type = DYN
    let second: Type = DYN
    if (range.kind === 'list') [first, second] = e.variable2 === undefined ? [range.item, DYN] : [INT, range.item]
    else if (range.kind === 'map') [first, second] = [range.key, range.value]
    else if (range.kind === 'dyn' || range.kind === 'error' || range.kind === 'param') this.fits(DYN, range)
    else {
      this.say(e.range.pos, `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`)
      first = ERROR
      second = ERROR
    }
    this.enter(
      new Map(
        e.variable2 === undefined
          ? [[e.variable, first]]
          : [
              [e.variable, first],
              [e.variable2, second],
            ],
      ),
    )
    this.assert(e.condition, BOOL, this.check(e.condition))
    this.assert(e.step, accumulator, this.check(e.step))
    this.leave()
    const result = this.check(e.result)
    this.leave()
    return substitute(this.mapping, result, false)
  }

  private assert(e: Expr, wanted: Type, actual: Type): void {
    if (!this.fits(wanted, actual)) this.mismatch(e.pos, wanted, actual)
  }
}

/** Literal arguments that can only be wrong: cel/validator.go. */
function validateLiterals(e: Expr, problems: Problem[]): void {
  const each = (list: readonly Expr[]): void => {
    for (const x of list) validateLiterals(x, problems)
  }
  switch (e.kind) {
    case 'select':
      each([e.operand])
      return
    case 'call': {
      each([...(e.target ? [e.target] : []), ...e.args])
      const last = e.args[e.fn === 'matches' && !e.target ? 1 : 0]
      if (last?.kind !== 'literal' || typeof last.value !== 'string') return
      const wrong =
        (e.fn === 'duration' && parseDuration(last.value) === undefined) ||
        (e.fn === 'timestamp' && parseTimestamp(last.value) === undefined) ||
        (e.fn === 'matches' && compileGoRegexp(last.value).error !== undefined)
      if (wrong) problems.push({ pos: last.pos, message: `invalid ${e.fn} argument` })
      return
    }
    case 'list':
      each(e.items)
      return
    case 'map':
      each(e.entries.flatMap((x) => [x.key, x.value]))
      return
    case 'struct':
      each(e.fields.map((f) => f.value))
      return
    case 'comprehension':
      each([e.range, e.init, e.condition, e.step, e.result])
      return
    default:
  }
}

export function checkCel(e: Expr, variables: Variables): Checked {
  const checker = new Checker(variables)
  const type = checker.run(e)
  const problems = [...checker.problems]
  if (problems.length === 0) validateLiterals(e, problems)
  return { type, problems, uses: checker.uses }
}
