// The diff in messages about immutable specs: k8s.io/apimachinery/pkg/util/diff over github.com/pmezard/go-difflib
// (Python's difflib: longest matching blocks, three lines of context, no file names).

interface Block {
  readonly a: number
  readonly b: number
  readonly size: number
}

/** The longest run of equal lines within the two ranges; of several the first in `a`, then in `b`. */
function longestMatch(
  a: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  alo: number,
  ahi: number,
  blo: number,
  bhi: number,
): Block {
  let best: Block = { a: alo, b: blo, size: 0 }
  let lengths = new Map<number, number>()
  for (let i = alo; i < ahi; i++) {
    const next = new Map<number, number>()
    for (const j of places.get(a[i] ?? '') ?? []) {
      if (j < blo) continue
      if (j >= bhi) break
      const k = (lengths.get(j - 1) ?? 0) + 1
      next.set(j, k)
      if (k > best.size) best = { a: i - k + 1, b: j - k + 1, size: k }
    }
    lengths = next
  }
  return best
}

function matchingBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const places = new Map<string, number[]>()
  for (const [j, line] of b.entries()) {
    const at = places.get(line)
    if (at === undefined) places.set(line, [j])
    else at.push(j)
  }
  const found: Block[] = []
  const search = (alo: number, ahi: number, blo: number, bhi: number): void => {
    const m = longestMatch(a, places, alo, ahi, blo, bhi)
    if (m.size === 0) return
    if (alo < m.a && blo < m.b) search(alo, m.a, blo, m.b)
    found.push(m)
    if (m.a + m.size < ahi && m.b + m.size < bhi) search(m.a + m.size, ahi, m.b + m.size, bhi)
  }
  search(0, a.length, 0, b.length)
  const merged: Block[] = []
  for (const m of found) {
    const last = merged.at(-1)
    if (last !== undefined && last.a + last.size === m.a && last.b + last.size === m.b)
      merged[merged.length - 1] = { ...last, size: last.size + m.size }
    else merged.push(m)
  }
  return [...merged, { a: a.length, b: b.length, size: 0 }]
}

interface Op {
  readonly equal: boolean
  readonly a1: number
  readonly a2: number
  readonly b1: number
  readonly b2: number
}

function opcodes(a: readonly string[], b: readonly string[]): Op[] {
  const ops: Op[] = []
  let [i, j] = [0, 0]
  for (const m of matchingBlocks(a, b)) {
    if (i < m.a || j < m.b) ops.push({ equal: false, a1: i, a2: m.a, b1: j, b2: m.b })
    ;[i, j] = [m.a + m.size, m.b + m.size]
    if (m.size > 0) ops.push({ equal: true, a1: m.a, a2: i, b1: m.b, b2: j })
  }
  return ops
}

function groups(ops: readonly Op[], context: number): Op[][] {
  const codes = [...ops]
  const first = codes[0]
  if (first?.equal) codes[0] = { ...first, a1: Math.max(first.a1, first.a2 - context), b1: Math.max(first.b1, first.b2 - context) }
  const last = codes.at(-1)
  if (last?.equal) codes[codes.length - 1] = { ...last, a2: Math.min(last.a2, last.a1 + context), b2: Math.min(last.b2, last.b1 + context) }
  const out: Op[][] = []
  let group: Op[] = []
  for (const op of codes) {
    let { a1, b1 } = op
    if (op.equal && op.a2 - op.a1 > 2 * context) {
      group.push({ ...op, a2: Math.min(op.a2, op.a1 + context), b2: Math.min(op.b2, op.b1 + context) })
      out.push(group)
      group = []
      a1 = Math.max(a1, op.a2 - context)
      b1 = Math.max(b1, op.b2 - context)
    }
    group.push({ ...op, a1, b1 })
  }
  if (group.length > 0 && !(group.length === 1 && group[0]?.equal)) out.push(group)
  return out
}

function range(start: number, stop: number): string {
  const length = stop - start
  const beginning = length === 0 ? start : start + 1
  return length === 1 ? `${beginning}` : `${beginning},${length}`
}

/** Unified diff of two texts, with a newline after every line. */
export function unifiedDiff(before: string, after: string): string {
  const a = before.split('\n')
  const b = after.split('\n')
  let out = ''
  for (const group of groups(opcodes(a, b), 3)) {
    const [first, last] = [group[0], group.at(-1)]
    if (first === undefined || last === undefined) continue
    out += `@@ -${range(first.a1, last.a2)} +${range(first.b1, last.b2)} @@\n`
    for (const op of group) {
      if (op.equal) for (const line of a.slice(op.a1, op.a2)) out += ` ${line}\n`
      else {
        for (const line of a.slice(op.a1, op.a2)) out += `-${line}\n`
        for (const line of b.slice(op.b1, op.b2)) out += `+${line}\n`
      }
    }
  }
  return out
}

/** json.MarshalIndent(…, "", " ") of compact JSON; the order of the keys stays. */
export function indentJson(compact: string): string {
  let out = ''
  let depth = 0
  let inString = false
  for (let i = 0; i < compact.length; i++) {
    const c = compact.charAt(i)
    if (inString) {
      out += c
      if (c === '\\') out += compact.charAt(++i)
      else if (c === '"') inString = false
      continue
    }
    const next = compact.charAt(i + 1)
    if (c === '"') inString = true
    if (c === '{' || c === '[') {
      if (next === '}' || next === ']') {
        out += c + next
        i++
      } else out += `${c}\n${' '.repeat(++depth)}`
    } else if (c === '}' || c === ']') out += `\n${' '.repeat(--depth)}${c}`
    else if (c === ',') out += `,\n${' '.repeat(depth)}`
    else if (c === ':') out += ': '
    else out += c
  }
  return out
}

/** Diff of two values printed as JSON. */
export const goDiff = (before: string, after: string): string => unifiedDiff(indentJson(before), indentJson(after))
