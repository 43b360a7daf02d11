// Evaluation: cel-go interpreter.
import { getOwn } from '../../../lib/own.ts'
import type { Expr, Literal } from './ast.ts'
import { qualifiedName } from './checker.ts'
import { overloadsOf, TYPE_NAMES } from './declarations.ts'
import { extensions } from './extensions.ts'
import { type Authorize, kubernetesFunctions } from './kubernetes.ts'
import { type CelFunction, STANDARD } from './standard.ts'
import { celError, CelError, celMap, isList, isMap, isTagged, mapGet, noSuchOverload, NONE, some, type Value } from './values.ts'

/** Values of variables; a function is asked when the variable is first used. */
export type Activation = Readonly<Record<string, Value | (() => Value)>>

export interface EvalOptions {
  readonly authorize?: Authorize
  /** How many steps an evaluation may take. */
  readonly limit?: number
}

interface Local {
  readonly name: string
  readonly value: Value
  readonly outer?: Local
}

/** Far beyond any honest rule, so that nothing runs away. */
const LIMIT = 1_000_000
export const COST_EXCEEDED = 'operation cancelled: actual cost limit exceeded'

const literalValue = (v: Literal): Value =>
  v !== null && typeof v === 'object' ? ('uint' in v ? { cel: 'uint', value: v.uint } : { cel: 'bytes', value: v.bytes }) : v

const FUNCTIONS: Readonly<Record<string, CelFunction>> = { ...STANDARD, ...extensions(STANDARD['_+_'] as CelFunction) }

class Evaluation {
  private steps = 0
  private readonly asked = new Map<string, Value>()
  private readonly activation: Activation
  private readonly limit: number
  private readonly functions: Readonly<Record<string, CelFunction>>

  constructor(activation: Activation, options: EvalOptions) {
    this.activation = activation
    this.limit = options.limit ?? LIMIT
    this.functions = { ...FUNCTIONS, ...kubernetesFunctions(options.authorize) }
  }

  eval(e: Expr, locals: Local | undefined): Value {
    if (++this.steps > this.limit) celError(COST_EXCEEDED)
    switch (e.kind) {
      case 'literal':
        return literalValue(e.value)
      case 'ident':
        return this.variable(e.name, locals)
      case 'select':
        return this.select(e, locals)
      case 'call':
        return this.call(e, locals)
      case 'list':
        return e.items.flatMap((x, i) => {
          const v = this.eval(x, locals)
          return e.optional.includes(i) ? unwrap(v) : [v]
        })
      case 'map': {
        const pairs = e.entries.flatMap((x): (readonly [Value, Value])[] => {
          const key = this.eval(x.key, locals)
          const value = this.eval(x.value, locals)
          return x.optional ? unwrap(value).map((v) => [key, v] as const) : [[key, value]]
        })
        const map = celMap(pairs)
        return map.entries.size === pairs.length ? map : celError('Failed with repeated key')
      }
      case 'struct':
        return celError(`unknown type: ${e.type}`)
      case 'comprehension':
        return this.fold(e, locals)
    }
  }

  private variable(given: string, locals: Local | undefined): Value {
    const name = given.replace(/^\./, '')
    if (!given.startsWith('.')) for (let l = locals; l; l = l.outer) if (l.name === name) return l.value
    const found = getOwn(this.activation, name)
    if (typeof found === 'function') {
      const known = this.asked.get(name)
      if (known !== undefined) return known
      const value = found()
      this.asked.set(name, value)
      return value
    }
    if (found !== undefined) return found
    if (Object.hasOwn(TYPE_NAMES, name)) return { cel: 'type', name }
    return celError(`no such attribute(s): ${name}`)
  }

  private select(e: Extract<Expr, { kind: 'select' }>, locals: Local | undefined): Value {
    const name = e.test ? undefined : qualifiedName(e)
    if (name !== undefined && (Object.hasOwn(this.activation, name) || Object.hasOwn(TYPE_NAMES, name)))
      return this.variable(name, undefined)
    const operand = this.eval(e.operand, locals)
    if (isTagged(operand) && operand.cel === 'optional') {
      if (!Object.hasOwn(operand, 'value')) return e.test ? false : NONE
      const inner = operand.value as Value
      const found = isMap(inner) ? mapGet(inner, e.field) : noSuchOverload()
      return e.test ? found !== undefined : found === undefined ? NONE : some(found)
    }
    if (!isMap(operand)) return noSuchOverload()
    const found = mapGet(operand, e.field)
    if (e.test) return found !== undefined
    return found === undefined ? celError(`no such key: ${e.field}`) : found
  }

  private call(e: Extract<Expr, { kind: 'call' }>, locals: Local | undefined): Value {
    const [a, b, c] = e.args as [Expr, Expr, Expr]
    switch (e.fn) {
      case '_&&_':
        return this.logic(a, b, false, locals)
      case '_||_':
        return this.logic(a, b, true, locals)
      case '_?_:_': {
        const condition = this.eval(a, locals)
        return typeof condition === 'boolean' ? this.eval(condition ? b : c, locals) : noSuchOverload()
      }
      case '@not_strictly_false':
        try {
          return this.eval(a, locals) !== false
        } catch (error) {
          if (error instanceof CelError && error.message !== COST_EXCEEDED) return true
          throw error
        }
      case '_?._':
        return this.optionalField(this.eval(a, locals), this.eval(b, locals))
      default:
    }
    if (e.target) {
      const prefix = qualifiedName(e.target)
      const qualified = prefix === undefined ? undefined : getOwn(this.functions, `${prefix}.${e.fn}`)
      if (qualified && overloadsOf(`${prefix}.${e.fn}`)) return qualified(...e.args.map((x) => this.eval(x, locals)))
    }
    const fn = getOwn(this.functions, e.fn.replace(/^\./, ''))
    if (!fn) return celError(`unknown function: ${e.fn}`)
    const args = [...(e.target ? [e.target] : []), ...e.args].map((x) => this.eval(x, locals))
    return fn(...args)
  }

  private optionalField(operand: Value, field: Value): Value {
    const inner = isTagged(operand) && operand.cel === 'optional' ? operand.value : operand
    if (inner === undefined || inner === null) return NONE
    const found = isMap(inner) ? mapGet(inner, field) : noSuchOverload()
    return found === undefined ? NONE : some(found)
  }

  /** One side that decides is enough, even if the other one fails. */
  private logic(a: Expr, b: Expr, decisive: boolean, locals: Local | undefined): Value {
    const side = (e: Expr): Value | CelError => {
      try {
        const v = this.eval(e, locals)
        return typeof v === 'boolean' ? v : new CelError('no such overload')
      } catch (error) {
        if (error instanceof CelError && error.message !== COST_EXCEEDED) return error
        throw error
      }
    }
    const left = side(a)
    if (left === decisive) return decisive
    const right = side(b)
    if (right === decisive) return decisive
    if (left instanceof CelError) throw left
    if (right instanceof CelError) throw right
    return !decisive
  }

  private fold(e: Extract<Expr, { kind: 'comprehension' }>, locals: Local | undefined): Value {
    const range = this.eval(e.range, locals)
    const pairs: (readonly [Value, Value])[] = isList(range)
      ? range.map((v, i) => (e.variable2 === undefined ? [v, v] : [BigInt(i), v]))
      : isMap(range)
        ? [...range.entries.values()]
        : noSuchOverload()
    let accumulated: Value | CelError = this.eval(e.init, locals)
    const scope = (): Local | undefined =>
      accumulated instanceof CelError ? undefined : { name: e.accumulator, value: accumulated, ...(locals ? { outer: locals } : {}) }
    // A failed step may still be overruled by a later element, as in && and ||.
    let failure: CelError | undefined
    for (const [first, second] of pairs) {
      const at = scope() as Local
      const one: Local = { name: e.variable, value: first, outer: at }
      const inner: Local = e.variable2 === undefined ? one : { name: e.variable2, value: second, outer: one }
      if (!this.goesOn(e.condition, inner)) break
      try {
        accumulated = this.eval(e.step, inner)
      } catch (error) {
        if (!(error instanceof CelError) || error.message === COST_EXCEEDED || !isLogic(e.step)) throw error
        failure ??= error
      }
    }
    const result = this.eval(e.result, scope())
    if (failure && !(isLogic(e.step) && e.step.kind === 'call' && result === (e.step.fn === '_||_'))) throw failure
    return result
  }

  private goesOn(condition: Expr, locals: Local): boolean {
    return this.eval(condition, locals) !== false
  }
}

const isLogic = (e: Expr): boolean => e.kind === 'call' && (e.fn === '_&&_' || e.fn === '_||_')
const unwrap = (v: Value): Value[] =>
  isTagged(v) && v.cel === 'optional' ? (Object.hasOwn(v, 'value') ? [v.value as Value] : []) : noSuchOverload()

/** The value, or why there is none. */
export function evaluateCel(
  e: Expr,
  activation: Activation,
  options: EvalOptions = {},
): { readonly value: Value; readonly error?: undefined } | { readonly value?: undefined; readonly error: string } {
  try {
    return { value: new Evaluation(activation, options).eval(e, undefined) }
  } catch (error) {
    if (error instanceof CelError) return { error: error.message }
    throw error
  }
}
