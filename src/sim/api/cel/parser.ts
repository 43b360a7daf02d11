// From text to expression: cel-go parser/parser.go over its ANTLR grammar, with the complaints that grammar makes.
import { call, type Expr, type FieldEntry, ident, literal, type MapEntry, type Problem } from './ast.ts'
import { bytesValue, stringValue, type Token, type TokenType, tokenize } from './lexer.ts'
import { expand } from './macros.ts'

const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'package',
  'namespace',
  'null',
  'return',
  'true',
  'var',
  'void',
  'while',
])

/** In the order of the grammar's tokens, which is that of its complaints. */
const ORDER: readonly TokenType[] = [
  '==',
  '!=',
  'in',
  '<',
  '<=',
  '>=',
  '>',
  '&&',
  '||',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
  'true',
  'false',
  'null',
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
  'ESC_IDENTIFIER',
]
const PRIMARY: readonly TokenType[] = [
  '[',
  '{',
  '(',
  '.',
  '-',
  '!',
  'true',
  'false',
  'null',
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
]
const RELATIONS: readonly TokenType[] = ['<', '<=', '>=', '>', '==', '!=', 'in']

/** Tokens at which an interrupted expression may go on. */
const CONTINUES: readonly TokenType[] = [...RELATIONS, '&&', '||', '?', '+', '*', '/', '%', '-', ')', ']', '}', ',', ':', 'EOF']

const named = (type: TokenType): string => (/^[A-Z_]+$/.test(type) && type !== 'EOF' ? type : type === 'EOF' ? '<EOF>' : `'${type}'`)
const setText = (types: readonly TokenType[]): string => {
  const names = ORDER.filter((t) => types.includes(t)).map(named)
  if (types.includes('EOF')) names.unshift('<EOF>')
  return names.length === 1 ? (names[0] as string) : `{${names.join(', ')}}`
}

class Stop extends Error {}

const MAX_DEPTH = 250

class Parser {
  readonly problems: Problem[]
  private readonly tokens: readonly Token[]
  private readonly chars: readonly string[]
  private i = 0
  private depth = 0
  /** After a complaint nothing more is said until a token fits. */
  private recovering = false

  constructor(source: string) {
    const { tokens, problems } = tokenize(source)
    this.tokens = tokens
    this.problems = problems
    this.chars = [...source]
  }

  parse(): Expr | undefined {
    try {
      const e = this.expr()
      this.match('EOF')
      return e
    } catch (error) {
      if (error instanceof Stop) return undefined
      throw error
    }
  }

  private get token(): Token {
    return this.tokens[Math.min(this.i, this.tokens.length - 1)] as Token
  }

  private peek(n = 1): Token {
    return this.tokens[Math.min(this.i + n, this.tokens.length - 1)] as Token
  }

  private is(...types: readonly TokenType[]): boolean {
    return types.includes(this.token.type)
  }

  private next(): Token {
    const { token } = this
    this.recovering = false
    if (token.type !== 'EOF') this.i++
    return token
  }

  private take(type: TokenType): Token | undefined {
    return this.is(type) ? this.next() : undefined
  }

  private say(token: Token, message: string): void {
    if (!this.recovering) this.problems.push({ pos: token.pos, message: `Syntax error: ${message}` })
    this.recovering = true
  }

  private complain(at: number, message: string): void {
    this.problems.push({ pos: at, message })
  }

  private sayNoAlternative(from: number): void {
    const { token } = this
    const end = token.type === 'EOF' ? this.chars.length : token.pos + [...token.text].length
    this.say(token, `no viable alternative at input '${this.chars.slice(from, end).join('')}'`)
  }

  private quoted(token: Token): string {
    return `'${token.text}'`
  }

  /** Matches a token; a single one too many is skipped, a missing one is assumed where the next fits behind it. */
  private match(type: TokenType, follows: readonly TokenType[] = []): Token {
    const { token } = this
    if (token.type === type) return this.next()
    if (token.type !== 'EOF' && this.peek().type === type) {
      this.say(token, `extraneous input ${this.quoted(token)} expecting ${named(type)}`)
      this.i++
      return this.next()
    }
    if (follows.includes(token.type)) {
      this.say(token, `missing ${named(type)} at ${this.quoted(token)}`)
      return { type, text: `<missing ${named(type)}>`, pos: token.pos }
    }
    this.say(token, `mismatched input ${this.quoted(token)} expecting ${named(type)}`)
    throw new Stop()
  }

  /** Closes a list of things that may end with a comma. */
  private close(type: TokenType): void {
    if (this.is(type)) {
      this.next()
      return
    }
    const { token } = this
    const expected = setText([type, ','])
    const extra = token.type !== 'EOF' && (this.peek().type === type || this.peek().type === ',')
    this.say(token, `${extra ? 'extraneous' : 'mismatched'} input ${this.quoted(token)} expecting ${expected}`)
    if (!extra || this.peek().type !== type) throw new Stop()
    this.i++
    this.next()
  }

  /** An expression must start here. `also` are further tokens that would do. */
  private start(also: readonly TokenType[] = []): boolean {
    if (this.is(...PRIMARY)) return true
    const { token } = this
    const expected = setText([...PRIMARY, ...also])
    if (token.type !== 'EOF' && PRIMARY.includes(this.peek().type) && token.type !== '+') {
      this.say(token, `extraneous input ${this.quoted(token)} expecting ${expected}`)
      this.i++
      return true
    }
    this.say(token, `mismatched input ${this.quoted(token)} expecting ${expected}`)
    if (token.type !== 'EOF' && !CONTINUES.includes(token.type)) this.i++
    return false
  }

  private expr(also: readonly TokenType[] = []): Expr {
    if (++this.depth > MAX_DEPTH) {
      this.complain(0, 'expression recursion limit exceeded: 250')
      throw new Stop()
    }
    const condition = this.or(also)
    const question = this.take('?')
    if (!question) {
      this.depth--
      return condition
    }
    const then = this.or()
    this.match(':')
    const otherwise = this.expr()
    this.depth--
    return call(question.pos, '_?_:_', [condition, then, otherwise])
  }

  private or(also: readonly TokenType[] = []): Expr {
    const terms = [this.and(also)]
    const ops: Token[] = []
    while (this.is('||')) {
      ops.push(this.next())
      terms.push(this.and())
    }
    return balance('_||_', terms, ops)
  }

  private and(also: readonly TokenType[] = []): Expr {
    const terms = [this.relation(also)]
    const ops: Token[] = []
    while (this.is('&&')) {
      ops.push(this.next())
      terms.push(this.relation())
    }
    return balance('_&&_', terms, ops)
  }

  private relation(also: readonly TokenType[] = []): Expr {
    let left = this.sum(also)
    while (this.is(...RELATIONS)) {
      const op = this.next()
      left = call(op.pos, op.type === 'in' ? '@in' : `_${op.type}_`, [left, this.sum()])
    }
    return left
  }

  private sum(also: readonly TokenType[] = []): Expr {
    let left = this.product(also)
    while (this.is('+', '-')) {
      const op = this.next()
      left = call(op.pos, `_${op.type}_`, [left, this.product()])
    }
    return left
  }

  private product(also: readonly TokenType[] = []): Expr {
    let left = this.unary(also)
    while (this.is('*', '/', '%')) {
      const op = this.next()
      left = call(op.pos, `_${op.type}_`, [left, this.unary()])
    }
    return left
  }

  private unary(also: readonly TokenType[] = []): Expr {
    if (!this.start(also)) return literal(this.token.pos, '<<error>>')
    const { token } = this
    if (token.type !== '!' && token.type !== '-') return this.member()
    if (token.type === '-' && ['NUM_INT', 'NUM_FLOAT'].includes(this.peek().type)) return this.member()
    let count = 0
    while (this.is(token.type)) {
      this.next()
      count++
      if (token.type === '-' && this.is('-') && ['NUM_INT', 'NUM_FLOAT'].includes(this.peek().type)) break
    }
    if (!this.is(...PRIMARY) || this.is('!')) {
      const last = this.tokens[this.i - 1] as Token
      if (token.type === '-' && this.is('EOF'))
        this.problems.push({ pos: this.token.pos, message: `Syntax error: no viable alternative at input ${this.quoted(last)}` })
      if (!this.start()) throw new Stop()
    }
    const operand = this.member()
    return count % 2 === 0 ? operand : call(token.pos, token.type === '!' ? '!_' : '-_', [operand])
  }

  private member(): Expr {
    let e = this.primary()
    for (;;) {
      if (this.is('.')) e = this.select(e)
      else if (this.is('[')) {
        const open = this.next()
        const optional = this.take('?') !== undefined
        const index = this.expr(optional ? [] : ['?'])
        this.match(']', CONTINUES)
        e = call(open.pos, optional ? '_[?_]' : '_[_]', [e, index])
      } else return e
    }
  }

  private select(operand: Expr): Expr {
    const dot = this.next()
    const optional = this.take('?') !== undefined
    const { token } = this
    if (token.type !== 'IDENTIFIER' && token.type !== 'ESC_IDENTIFIER') {
      if (['true', 'false', 'null'].includes(token.type)) this.say(token, `mismatched input ${this.quoted(token)} expecting IDENTIFIER`)
      else if (optional) this.say(token, `mismatched input ${this.quoted(token)} expecting {IDENTIFIER, ESC_IDENTIFIER}`)
      else this.sayNoAlternative(dot.pos)
      throw new Stop()
    }
    this.next()
    const name = token.type === 'ESC_IDENTIFIER' ? token.text.slice(1, -1) : token.text
    if (token.type === 'ESC_IDENTIFIER') this.complain(token.pos, "unsupported syntax: '`'")
    const open = optional ? undefined : this.take('(')
    if (open) return this.calls(open, name, this.args(), operand)
    if (optional) return call(dot.pos, '_?._', [operand, literal(token.pos, name)])
    return { kind: 'select', pos: dot.pos, operand, field: name, test: false }
  }

  private args(): Expr[] {
    const args: Expr[] = []
    if (this.take(')')) return args
    args.push(this.expr([')']))
    while (this.take(',')) args.push(this.expr())
    this.match(')', CONTINUES)
    return args
  }

  private calls(open: Token, fn: string, args: readonly Expr[], target?: Expr): Expr {
    const expansion = expand(open.pos, fn, target, args)
    if (!expansion) return call(open.pos, fn, args, target)
    if ('expr' in expansion) return expansion.expr
    this.complain(expansion.problem.pos, expansion.problem.message)
    return literal(open.pos, null)
  }

  private primary(): Expr {
    const { token } = this
    switch (token.type) {
      case '(': {
        this.next()
        const e = this.expr()
        this.match(')', CONTINUES)
        return e
      }
      case '[':
        return this.list()
      case '{':
        return this.map()
      case '.':
      case 'IDENTIFIER':
        return this.name()
      case 'true':
      case 'false':
        this.next()
        return literal(token.pos, token.type === 'true')
      case 'null':
        this.next()
        return literal(token.pos, null)
      case 'STRING': {
        this.next()
        const value = stringValue(token.text)
        if (value === undefined) this.complain(token.pos, 'invalid unicode code point')
        return literal(token.pos, value ?? '')
      }
      case 'BYTES':
        this.next()
        return literal(token.pos, { bytes: bytesValue(token.text) })
      default:
        return this.numeric()
    }
  }

  private numeric(): Expr {
    const minus = this.take('-')
    const token = this.next()
    const pos = minus?.pos ?? token.pos
    const sign = minus ? -1n : 1n
    if (token.type === 'NUM_INT') {
      const value = sign * BigInt(token.text)
      if (BigInt.asIntN(64, value) !== value) this.complain(pos, 'invalid int literal')
      return literal(pos, BigInt.asIntN(64, value))
    }
    if (token.type === 'NUM_UINT') {
      const value = BigInt(token.text.slice(0, -1))
      if (BigInt.asUintN(64, value) !== value) this.complain(pos, 'invalid uint literal')
      return literal(pos, { uint: BigInt.asUintN(64, value) })
    }
    const value = Number(sign) * Number(token.text)
    if (!Number.isFinite(value)) this.complain(pos, 'invalid double literal')
    return literal(pos, value)
  }

  private list(): Expr {
    const open = this.next()
    const items: Expr[] = []
    const optional: number[] = []
    while (!this.is(']')) {
      if (items.length === 0 && this.is(',') && this.peek().type === ']') {
        this.next()
        break
      }
      if (this.take('?')) optional.push(items.length)
      items.push(this.expr(items.length === 0 ? [']', ',', '?'] : [']', '?']))
      if (!this.take(',')) break
    }
    this.close(']')
    return { kind: 'list', pos: open.pos, items, optional }
  }

  private map(): Expr {
    const open = this.next()
    const entries: MapEntry[] = []
    while (!this.is('}')) {
      if (entries.length === 0 && this.is(',') && this.peek().type === '}') {
        this.next()
        break
      }
      const optional = this.take('?') !== undefined
      const key = this.expr(entries.length === 0 ? ['}', ',', '?'] : ['}', '?'])
      const colon = this.match(':')
      entries.push({ pos: colon.pos, key, value: this.expr(), optional })
      if (!this.take(',')) break
    }
    this.close('}')
    return { kind: 'map', pos: open.pos, entries }
  }

  /** A variable, a call or, for qualified names before a brace, a message. */
  private name(): Expr {
    const leading = this.take('.')
    if (leading && !this.is('IDENTIFIER')) {
      this.sayNoAlternative(leading.pos)
      throw new Stop()
    }
    const token = this.match('IDENTIFIER')
    const from = leading ?? token
    const prefix = leading ? '.' : ''
    const message = this.messageName()
    if (message !== undefined) return this.message(prefix + token.text + message)
    const open = this.take('(')
    if (RESERVED.has(token.text)) {
      this.complain(from.pos, `reserved identifier: ${token.text}`)
      if (open) this.args()
      return literal(from.pos, null)
    }
    return open ? this.calls(open, prefix + token.text, this.args()) : ident(token.pos, prefix + token.text)
  }

  /** `.b.C` of `a.b.C{`, if such a thing follows. */
  private messageName(): string | undefined {
    let n = 0
    let text = ''
    while (this.peek(n).type === '.' && this.peek(n + 1).type === 'IDENTIFIER') {
      text += `.${this.peek(n + 1).text}`
      n += 2
    }
    if (this.peek(n).type !== '{') return undefined
    this.i += n
    return text
  }

  private message(type: string): Expr {
    const open = this.next()
    const fields: FieldEntry[] = []
    while (!this.is('}')) {
      const optional = this.take('?') !== undefined
      const name = this.match('IDENTIFIER')
      const colon = this.match(':')
      fields.push({ pos: colon.pos, name: name.text, value: this.expr(), optional })
      if (!this.take(',')) break
    }
    this.close('}')
    return { kind: 'struct', pos: open.pos, type, fields }
  }
}

/** Long chains of && and || become balanced trees. */
function balance(fn: string, terms: readonly Expr[], ops: readonly Token[]): Expr {
  if (terms.length === 1) return terms[0] as Expr
  const build = (low: number, high: number): Expr => {
    const mid = (low + high + 1) >> 1
    const left = mid === low ? (terms[mid] as Expr) : build(low, mid - 1)
    const right = mid === high ? (terms[mid + 1] as Expr) : build(mid + 1, high)
    return call((ops[mid] as Token).pos, fn, [left, right])
  }
  return build(0, ops.length - 1)
}

export function parseCel(source: string): { expr?: Expr; problems: readonly Problem[] } {
  const parser = new Parser(source)
  const expr = parser.parse()
  return expr && parser.problems.length === 0 ? { expr, problems: [] } : { problems: parser.problems }
}
