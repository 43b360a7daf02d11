// Field selectors: pkg/fields/selector.go.
import { sortStrings } from '../../lib/compare.ts'
import { getOwn } from '../../lib/own.ts'
import { fail, ok, type Result } from '../../lib/result.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[]
}

export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, (c) => `\\${c}`)

const unescapeFieldValue = (text: string): Result<string> => {
  let out = ''
  let slash = false
  for (const c of text) {
    if (slash) {
      if (c !== '\\' && c !== ',' && c !== '=') return fail(`invalid field selector: invalid escape sequence: \\${c}`)
      out += c
      slash = false
    } else if (c === '\\') slash = true
    else if (c === ',' || c === '=') return fail(`invalid field selector: unescaped character in value: ${c.codePointAt(0)}`)
    else out += c
  }
  return slash ? fail('invalid field selector: invalid escape sequence: \\') : ok(out)
}

const splitTerms = (text: string): string[] => {
  if (text === '') return []
  const terms: string[] = []
  let start = 0
  let slash = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (slash) slash = false
    else if (c === '\\') slash = true
    else if (c === ',') {
      terms.push(text.slice(start, i))
      start = i + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

const splitTerm = (term: string): { field: string; operator: string; value: string } | undefined => {
  for (let i = 0; i < term.length; i++) {
    for (const operator of ['!=', '==', '=']) {
      if (term.startsWith(operator, i)) return { field: term.slice(0, i), operator, value: term.slice(i + operator.length) }
    }
  }
  return undefined
}

/** Terms are taken in sorted order, as upstream does before it looks for mistakes. */
export const parseFieldSelector = (text: string): Result<FieldSelector> => {
  const requirements: FieldRequirement[] = []
  for (const term of sortStrings(splitTerms(text))) {
    if (term === '') continue
    const parts = splitTerm(term)
    if (!parts) return fail(`invalid selector: '${text}'; can't understand '${term}'`)
    const value = unescapeFieldValue(parts.value)
    if (value.value === undefined) return value
    // A term without field and value says nothing.
    if (parts.field === '' && value.value === '') continue
    requirements.push({ field: parts.field, operator: parts.operator === '!=' ? '!=' : '=', value: value.value })
  }
  return ok({ requirements })
}

export const fieldSelectorToString = (selector: FieldSelector): string =>
  selector.requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(',')

/** A field that the object does not have counts as ''. */
export const fieldSelectorMatches = (selector: FieldSelector, fields: Readonly<Record<string, string>>): boolean =>
  selector.requirements.every((r) => ((getOwn(fields, r.field) ?? '') === r.value) === (r.operator === '='))

/** The value that the selector requires of a field, if it requires exactly one. */
export const requiresExactField = (selector: FieldSelector, field: string): string | undefined =>
  selector.requirements.find((r) => r.field === field && r.operator === '=')?.value
