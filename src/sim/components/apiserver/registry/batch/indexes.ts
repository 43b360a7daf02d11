// Lists of indexes such as "1,3-5,7" (status.completedIndexes and the like), pkg/apis/batch/validation/validation.go.
import { fail, ok, type Result } from '../../../../../lib/result.ts'

const integer = (text: string): number | undefined => (/^[+-]?[0-9]+$/.test(text) ? Number(text) : undefined)

function parseInterval(text: string, completions: number): Result<[number, number]> {
  const parts = text.split('-')
  if (parts.length > 2) {
    return fail(
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    )
  }
  const ends: number[] = []
  for (const part of parts) {
    const value = integer(part)
    if (value === undefined) return fail(`cannot convert string to integer for index: ${JSON.stringify(part)}`)
    if (value >= completions) return fail(`too large index: ${JSON.stringify(part)}`)
    ends.push(value)
  }
  const [x = 0, y = x] = ends
  if (parts.length === 2 && x >= y) return fail(`non-increasing order, previous: ${x}, current: ${y}`)
  return ok([x, y])
}

/** How many indexes the text names, or what is wrong with it. */
export function parseIndexes(text: string, completions: number): Result<number> {
  if (text === '') return ok(0)
  let last: number | undefined
  let total = 0
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions)
    if (interval.value === undefined) return fail(interval.error)
    const [x, y] = interval.value
    if (last !== undefined && last >= x) return fail(`non-increasing order, previous: ${last}, current: ${x}`)
    total += y - x + 1
    last = y
  }
  return ok(total)
}

/** The first index that both lists name; intervals that do not parse are skipped. */
export function overlappingIndex(completed: string, failed: string, completions: number): number | undefined {
  if (completed === '' || failed === '') return undefined
  const intervals = (text: string): [number, number][] =>
    text.split(',').flatMap((part) => {
      const parsed = parseInterval(part, completions)
      return parsed.value === undefined ? [] : [parsed.value]
    })
  const done = intervals(completed)
  const bad = intervals(failed)
  let i = 0
  let k = 0
  for (let c = done[i], f = bad[k]; c !== undefined && f !== undefined; c = done[i], f = bad[k]) {
    if (c[0] <= f[1] && f[0] <= c[1]) return Math.max(c[0], f[0])
    if (c[0] <= f[0]) i++
    else k++
  }
  return undefined
}
