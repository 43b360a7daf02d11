// Keys that work everywhere but in text fields. Every one has a visible button, too.
import { useEffect } from 'react'
import type { StepSize } from '../../protocol/messages.ts'
import { SPEEDS } from '../../session/session.ts'
import { useSession } from './SessionContext.tsx'

export interface Shortcut {
  readonly keys: string
  readonly does: string
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: 'Space', does: 'play or pause' },
  { keys: '← →', does: 'step back, step forward' },
  { keys: 'Shift ← →', does: 'previous, next milestone' },
  { keys: 'PageUp PageDown', does: 'step back, step forward (presentation remotes)' },
  { keys: 'Home End', does: 'first, last known step' },
  { keys: '[ ]', does: 'slower, faster' },
  { keys: 'M', does: 'next step size' },
  { keys: 'N', does: 'jump to the next event' },
  { keys: 'Q', does: 'run until only periodic work is left' },
  { keys: 'W', does: 'why? (causes of the present step)' },
  { keys: '/ or Ctrl K', does: 'search' },
  { keys: 'Ctrl Enter', does: 'apply the manifest' },
  { keys: '.', does: 'in the picture: menu of the focused element' },
  { keys: 'F6', does: 'next region of the page' },
  { keys: '?', does: 'this list' },
  { keys: 'Esc', does: 'close, deselect; in the editor: then Tab leaves it' },
]

const REGIONS = ['editor', 'graph', 'caption', 'inspector', 'timeline'] as const
const SIZES: readonly StepSize[] = ['message', 'reconcile', 'milestone']

/** True in fields where keys mean text. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  return !!element?.closest?.(
    'input, textarea, select, [contenteditable="true"], .monaco-editor, [role="dialog"], [role="menu"], [role="listbox"]',
  )
}

export function useKeyboard(): void {
  const session = useSession()
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'F6') {
        cycleRegion(event.shiftKey ? -1 : 1)
        event.preventDefault()
        return
      }
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        window.dispatchEvent(new CustomEvent('orrery:search'))
        event.preventDefault()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || event.defaultPrevented) return
      const { stepSize, speed, playing, caption } = session.store.getState()
      const onButton = (event.target as HTMLElement).closest?.('button, a, [role="tab"]') !== null
      const run: Record<string, () => void> = {
        ' ': () => (playing ? session.pause() : session.play()),
        '.': () => (playing ? session.pause() : session.play()),
        ArrowLeft: () => void session.step(-1, event.shiftKey ? 'milestone' : undefined),
        ArrowRight: () => void session.step(1, event.shiftKey ? 'milestone' : undefined),
        PageUp: () => void session.step(-1),
        PageDown: () => void session.step(1),
        Home: () => void session.first(),
        End: () => void session.last(),
        '[': () => session.setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(speed as never) - 1)] ?? 1),
        ']': () => session.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(speed as never) + 1)] ?? 1),
        m: () => session.setStepSize(SIZES[(SIZES.indexOf(stepSize) + 1) % SIZES.length] ?? 'message'),
        n: () => void session.jump(event.shiftKey ? -1 : 1),
        q: () => void session.runUntilQuiet(),
        w: () => caption && session.select({ type: 'record', record: caption.record }),
        '/': () => window.dispatchEvent(new CustomEvent('orrery:search')),
        '?': () => window.dispatchEvent(new CustomEvent('orrery:help')),
        Escape: () => session.select(null),
      }
      if (event.key === ' ' && onButton) return
      const action = run[event.key.length === 1 ? event.key.toLowerCase() : event.key]
      if (!action) return
      action()
      event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [session])
}

function cycleRegion(by: 1 | -1): void {
  const present = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter(
    (e): e is HTMLElement => e !== null,
  )
  const at = present.findIndex((e) => e.contains(document.activeElement))
  const next = present[(at + by + present.length) % present.length]
  if (!next) return
  if (!next.hasAttribute('tabindex')) next.tabIndex = -1
  next.focus()
}
