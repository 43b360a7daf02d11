// The status language: glyph, border and colour together; never colour alone.
import type { Status } from '../../projection/scene.ts'

export const STATUS: Readonly<Record<Status, { readonly glyph: string; readonly word: string; readonly border: string }>> = {
  ready: { glyph: '●', word: 'ready', border: 'solid' },
  progressing: { glyph: '◐', word: 'in progress', border: 'dashed' },
  failed: { glyph: '✕', word: 'failed', border: 'double' },
  completed: { glyph: '⚑', word: 'completed', border: 'solid' },
  unknown: { glyph: '?', word: 'unknown', border: 'dotted' },
  terminating: { glyph: '⤓', word: 'terminating', border: 'dashed' },
  stopped: { glyph: '◌', word: 'stopped', border: 'dotted' },
}

export function StatusGlyph({ status, label }: { status: Status; label?: string }) {
  return (
    <span style={{ color: `var(--status-${status})` }} aria-hidden={label === undefined} title={label}>
      {STATUS[status].glyph}
    </span>
  )
}
