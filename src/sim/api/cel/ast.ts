// Expressions of the Common Expression Language after parsing: macros are expanded.

/** A place in the source: offset in code points. */
export type Pos = number

interface Node {
  /** Where errors point. */
  readonly pos: Pos
}

export type Literal = null | boolean | bigint | number | string | { readonly uint: bigint } | { readonly bytes: readonly number[] }

export interface MapEntry extends Node {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface FieldEntry extends Node {
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
}

/** A fold over a list or a map (all, exists, map, filter …). */
export interface Comprehension extends Node {
  readonly kind: 'comprehension'
  readonly range: Expr
  readonly variable: string
  readonly variable2?: string
  readonly accumulator: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

export type Expr =
  | (Node & { readonly kind: 'literal'; readonly value: Literal })
  | (Node & { readonly kind: 'ident'; readonly name: string })
  | (Node & { readonly kind: 'select'; readonly operand: Expr; readonly field: string; readonly test: boolean })
  | (Node & { readonly kind: 'call'; readonly fn: string; readonly target?: Expr; readonly args: readonly Expr[] })
  | (Node & { readonly kind: 'list'; readonly items: readonly Expr[]; readonly optional: readonly number[] })
  | (Node & { readonly kind: 'map'; readonly entries: readonly MapEntry[] })
  | (Node & { readonly kind: 'struct'; readonly type: string; readonly fields: readonly FieldEntry[] })
  | Comprehension

export interface Problem {
  readonly pos: Pos
  readonly message: string
}

export const ident = (pos: Pos, name: string): Expr => ({ kind: 'ident', pos, name })
export const literal = (pos: Pos, value: Literal): Expr => ({ kind: 'literal', pos, value })
export const call = (pos: Pos, fn: string, args: readonly Expr[], target?: Expr): Expr => ({
  kind: 'call',
  pos,
  fn,
  args,
  ...(target ? { target } : {}),
})

/** Issues.String(): every problem with its line and a mark below it, in the order of the source. */
export function problemsText(source: string, problems: readonly Problem[]): string {
  const lines = source.split('\n').map((l) => [...l])
  const placed = problems.map((p) => {
    let line = 0
    let column = p.pos
    while (line < lines.length - 1 && column > (lines[line] as string[]).length) {
      column -= (lines[line] as string[]).length + 1
      line++
    }
    return { ...p, line, column }
  })
  return placed
    .map((p, i) => ({ p, i }))
    .sort((a, b) => a.p.line - b.p.line || a.p.column - b.p.column || a.i - b.i)
    .map(({ p }) => {
      const text = (lines[p.line] ?? []).map((c) => (c === '\t' ? ' ' : c))
      const isWide = (c: string | undefined): boolean => c !== undefined && (c.codePointAt(0) as number) > 0x7f
      const dots = text
        .slice(0, p.column)
        .map((c) => (isWide(c) ? '．' : '.'))
        .join('')
      // An empty source has no line to show.
      if (source === '') return `ERROR: <input>:1:0: ${p.message}`
      return `ERROR: <input>:${p.line + 1}:${p.column + 1}: ${p.message}\n | ${text.join('')}\n | ${dots}${isWide(text[p.column]) ? '＾' : '^'}`
    })
    .join('\n')
}
