// $((…)): integer arithmetic of the shell.

export interface ArithmeticVariables {
  get(name: string): string | undefined
  set(name: string, value: string): void
}

const TOKEN =
  /\s*(\d+|0[xX][0-9a-fA-F]+|[A-Za-z_][A-Za-z0-9_]*|<<=|>>=|\*\*|[-+*/%&|^]=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%()<>=!~&|^?:,])/y

/** Throws with the shell's message. */
export function evaluateArithmetic(text: string, variables: ArithmeticVariables): number {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  const trimmed = text.trimEnd()
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(trimmed)
    if (!match || match.index !== at) throw new Error('arithmetic syntax error')
    tokens.push(match[1] as string)
  }
  if (tokens.length === 0) return 0
  let i = 0
  const peek = (): string | undefined => tokens[i]
  const value = (name: string): number => {
    const raw = variables.get(name)?.trim() ?? ''
    if (raw === '') return 0
    return /^[-+]?(\d+|0[xX][0-9a-fA-F]+)$/.test(raw) ? Number(raw) : evaluateArithmetic(raw, variables)
  }
  const assign = (): number => {
    const name = peek()
    const op = tokens[i + 1]
    if (name !== undefined && /^[A-Za-z_]/.test(name) && op !== undefined && /^([-+*/%&|^]|<<|>>)?=$/.test(op) && op !== '==') {
      i += 2
      const right = assign()
      const result = op === '=' ? right : binary(op.slice(0, -1), value(name), right)
      variables.set(name, String(result))
      return result
    }
    return ternary()
  }
  const ternary = (): number => {
    const test = level(0)
    if (peek() !== '?') return test
    i++
    const yes = assign()
    if (tokens[i++] !== ':') throw new Error('arithmetic syntax error')
    const no = ternary()
    return test !== 0 ? yes : no
  }
  const LEVELS = [
    ['||'],
    ['&&'],
    ['|'],
    ['^'],
    ['&'],
    ['==', '!='],
    ['<', '<=', '>', '>='],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '/', '%'],
    ['**'],
  ]
  const level = (n: number): number => {
    const ops = LEVELS[n]
    if (!ops) return unary()
    let left = level(n + 1)
    while (peek() !== undefined && ops.includes(peek() as string)) {
      const op = tokens[i++] as string
      left = binary(op, left, level(n + 1))
    }
    return left
  }
  const unary = (): number => {
    const op = tokens[i++]
    if (op === undefined) throw new Error('arithmetic syntax error')
    if (op === '-') return -unary()
    if (op === '+') return unary()
    if (op === '!') return unary() === 0 ? 1 : 0
    if (op === '~') return ~unary()
    if (op === '(') {
      const inner = assign()
      if (tokens[i++] !== ')') throw new Error('arithmetic syntax error')
      return inner
    }
    if (op === '++' || op === '--') {
      const name = tokens[i++] ?? ''
      const result = value(name) + (op === '++' ? 1 : -1)
      variables.set(name, String(result))
      return result
    }
    if (/^\d/.test(op)) return /^0[0-7]+$/.test(op) ? Number.parseInt(op, 8) : Number(op)
    if (/^[A-Za-z_]/.test(op)) {
      const now = value(op)
      if (peek() === '++' || peek() === '--') variables.set(op, String(now + (tokens[i++] === '++' ? 1 : -1)))
      return now
    }
    throw new Error('arithmetic syntax error')
  }
  const result = assign()
  if (i < tokens.length) throw new Error('arithmetic syntax error')
  return result
}

function binary(op: string, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
    case '%':
      if (b === 0) throw new Error('divide by zero')
      return op === '/' ? Math.trunc(a / b) : a % b
    case '**':
      return a ** b
    case '<<':
      return a * 2 ** b
    case '>>':
      return Math.floor(a / 2 ** b)
    case '<':
      return a < b ? 1 : 0
    case '<=':
      return a <= b ? 1 : 0
    case '>':
      return a > b ? 1 : 0
    case '>=':
      return a >= b ? 1 : 0
    case '==':
      return a === b ? 1 : 0
    case '!=':
      return a !== b ? 1 : 0
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '&&':
      return a !== 0 && b !== 0 ? 1 : 0
    case '||':
      return a !== 0 || b !== 0 ? 1 : 0
    default:
      throw new Error('arithmetic syntax error')
  }
}
