import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

/** Tokens of a theme, read from the style sheet itself. */
function theme(name: 'dark' | 'light'): Map<string, string> {
  const block = new RegExp(`:root\\[data-theme=['"]${name}['"]\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b(?!\w)/g)].map((m) => [m[1] ?? '', m[2] ?? '']))
}

function luminance(hex: string): number {
  const channel = (i: number): number => {
    const value = Number.parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const SURFACES = ['ground', 'panel', 'raised', 'raised-2']
const TEXTS = [
  'text',
  'text-2',
  'text-3',
  'accent',
  'blue',
  'green',
  'amber',
  'red',
  'violet',
  'grey',
  'code-key',
  'code-string',
  'code-number',
]
const MARKS = [
  'focus',
  'status-ready',
  'status-progressing',
  'status-failed',
  'status-completed',
  'status-unknown',
  'status-terminating',
  'status-stopped',
]

describe.each(['dark', 'light'] as const)('%s', (name) => {
  const tokens = theme(name)
  const colour = (token: string): string => {
    const value = tokens.get(token)
    if (value === undefined) throw new Error(`no token --${token} in ${name}`)
    return value
  }
  const tooFaint = (fronts: readonly string[], least: number): string[] =>
    fronts
      .flatMap((front) => SURFACES.map((back) => [front, back, contrast(colour(front), colour(back))] as const))
      .flatMap(([front, back, ratio]) => (ratio < least ? [`${front} on ${back}: ${ratio.toFixed(2)}`] : []))

  test('every text can be read on every surface', () => {
    expect(tooFaint(TEXTS, 4.5)).toEqual([])
  })
  test('statuses are written in their colours, so they need the contrast of text on panels', () => {
    expect(
      MARKS.flatMap((m) => ['panel', 'raised'].map((s) => [m, s, contrast(colour(m), colour(s))] as const)).filter(([, , r]) => r < 4.5),
    ).toEqual([])
  })
  test('marks, focus rings and edges stand out', () => {
    expect(tooFaint([...MARKS, 'edge'], 3)).toEqual([])
  })
  test('the text of primary buttons can be read', () => {
    expect(contrast(colour('accent-ink'), colour('accent'))).toBeGreaterThanOrEqual(4.5)
  })
})

test('black on white has the greatest contrast', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
})
