// First, back, play, step, last; how far a step goes and how fast play walks.
import { ChevronDown, FastForward, Pause, Play, SkipBack, SkipForward, StepBack, StepForward } from 'lucide-react'
import type { StepSize } from '../../protocol/messages.ts'
import { SPEEDS } from '../../session/session.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { Menu } from '../kit/Menu.tsx'
import styles from './Transport.module.css'

const SIZES: readonly { readonly value: StepSize; readonly label: string }[] = [
  { value: 'message', label: 'message' },
  { value: 'reconcile', label: 'reconcile' },
  { value: 'milestone', label: 'milestone' },
]

const WAITS: readonly { readonly label: string; readonly ms: number }[] = [
  { label: '10 seconds', ms: 10_000 },
  { label: '1 minute', ms: 60_000 },
  { label: '5 minutes', ms: 300_000 },
]

export const speedLabel = (speed: number): string => (speed >= 1 ? `${speed}×` : `1/${1 / speed}×`)

export function Transport() {
  const session = useSession()
  const playing = useSessionState((s) => s.playing)
  const speed = useSessionState((s) => s.speed)
  const size = useSessionState((s) => s.stepSize)
  const atStart = useSessionState((s) => s.cursor === 0)
  const ready = useSessionState((s) => s.phase === 'ready')
  const busy = useSessionState((s) => s.busy)
  return (
    <div className={styles.transport} role="toolbar" aria-label="Transport" aria-busy={busy}>
      <div className={styles.row}>
        <Button label="First step" shortcut="Home" disabled={!ready || atStart} onClick={() => void session.first()}>
          <SkipBack size={17} />
        </Button>
        <Button label="Step back" shortcut="ArrowLeft" disabled={!ready || atStart} onClick={() => void session.step(-1)}>
          <StepBack size={17} />
        </Button>
        <Button
          kind="primary"
          label={playing ? 'Pause' : 'Play'}
          shortcut="Space"
          disabled={!ready}
          onClick={() => (playing ? session.pause() : session.play())}
        >
          {playing ? <Pause size={17} fill="currentColor" /> : <Play size={17} fill="currentColor" />}
        </Button>
        <Button label="Step forward" shortcut="ArrowRight" disabled={!ready} onClick={() => void session.step(1)}>
          <StepForward size={17} />
        </Button>
        <Button label="Last known step" shortcut="End" disabled={!ready} onClick={() => void session.last()}>
          <SkipForward size={17} />
        </Button>
        <Button
          label="Run until quiet: only periodic work is left"
          shortcut="Q"
          disabled={!ready}
          onClick={() => void session.runUntilQuiet()}
        >
          <FastForward size={17} />
        </Button>
      </div>
      <div className={styles.row}>
        <label className={styles.select}>
          <span className={styles.word}>Step</span>
          <select value={size} onChange={(e) => session.setStepSize(e.target.value as StepSize)}>
            {SIZES.map((s) => (
              <option key={s.value} value={s.value}>
                {s.label}
              </option>
            ))}
          </select>
        </label>
        <label className={styles.select}>
          <span className={styles.word}>Speed</span>
          <select value={speed} onChange={(e) => session.setSpeed(Number(e.target.value))}>
            {SPEEDS.map((s) => (
              <option key={s} value={s}>
                {speedLabel(s)}
              </option>
            ))}
          </select>
        </label>
        <Menu
          label="Skip ahead"
          groups={[
            {
              title: 'Skip to',
              items: [
                { id: 'next', label: 'the next event', detail: 'that a newcomer would notice (N)', onSelect: () => void session.jump(1) },
                {
                  id: 'error',
                  label: 'the next trouble',
                  detail: 'something fails or is refused',
                  onSelect: () => void session.jump(1, { errors: true }),
                },
                { id: 'quiet', label: 'the quiet', detail: 'only periodic work is left (Q)', onSelect: () => void session.runUntilQuiet() },
              ],
            },
            {
              title: 'Let time pass',
              items: WAITS.map((w) => ({ id: w.label, label: w.label, onSelect: () => void session.letPass(w.ms) })),
            },
          ]}
          trigger={
            <Button disabled={!ready}>
              Skip <ChevronDown size={14} />
            </Button>
          }
        />
      </div>
    </div>
  )
}
