// The Common Expression Language as Kubernetes uses it.
import { type Expr, problemsText } from './ast.ts'
import { checkCel, type Variables } from './checker.ts'
import { parseCel } from './parser.ts'
import type { Type } from './types.ts'

export type { Variables } from './checker.ts'
export { type Activation, COST_EXCEEDED, evaluateCel, type EvalOptions } from './interpreter.ts'
export type { Authorize } from './kubernetes.ts'
export * from './types.ts'
export { fromJson, type Value } from './values.ts'

export interface Program {
  readonly expr: Expr
  readonly type: Type
  /** Variables that the expression names. */
  readonly uses: ReadonlySet<string>
}

/** Parses and checks; the error is the text of all issues, with the places they point at. */
export function compileCel(
  source: string,
  variables: Variables,
): { readonly program: Program; readonly error?: undefined } | { readonly program?: undefined; readonly error: string } {
  const { expr, problems } = parseCel(source)
  if (!expr) return { error: problemsText(source, problems) }
  const checked = checkCel(expr, variables)
  if (checked.problems.length > 0) return { error: problemsText(source, checked.problems) }
  return { program: { expr, type: checked.type, uses: checked.uses } }
}
