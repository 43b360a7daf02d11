// Two texts as one list of lines: kept, removed (−), added (+). Signs as well as colours.
import { useMemo } from 'react'
import styles from './DiffText.module.css'
import { type DiffLine, diffLines } from './diff-lines.ts'

/** Unchanged lines shown around a change. */
const CONTEXT = 3

export function DiffText({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => fold(diffLines(before, after)), [before, after])
  return (
    <pre className={styles.diff}>
      {lines.map((line, i) => (
        <span key={i} data-kind={line.kind}>
          {line.kind === 'added' ? '+ ' : line.kind === 'removed' ? '− ' : line.kind === 'fold' ? '  ⋯ ' : '  '}
          {line.text}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}

type Shown = DiffLine | { readonly kind: 'fold'; readonly text: string }

function fold(lines: readonly DiffLine[]): Shown[] {
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((l) => l.kind !== 'same'))
  const out: Shown[] = []
  let hidden = 0
  lines.forEach((line, i) => {
    if (near[i]) {
      if (hidden > 0) out.push({ kind: 'fold', text: `${hidden} lines as before` })
      hidden = 0
      out.push(line)
    } else hidden++
  })
  if (hidden > 0) out.push({ kind: 'fold', text: `${hidden} lines as before` })
  return out
}
