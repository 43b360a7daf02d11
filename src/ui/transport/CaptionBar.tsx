// One sentence for every step: who did what to what, and because of which observed state.
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { duration } from '../app/format.ts'
import { Button } from '../kit/Button.tsx'
import styles from './Transport.module.css'

/** Shorter waits need no mention. */
const IDLE_WORTH_SAYING_MS = 1500

const UNITS = { message: 'messages', reconcile: 'passes', milestone: 'milestones' } as const

export function CaptionBar() {
  const caption = useSessionState((s) => s.caption)
  const idleMs = useSessionState((s) => s.idleMs)
  const position = useSessionState((s) => s.position)
  const size = useSessionState((s) => s.stepSize)
  const session = useSession()
  return (
    <section className={styles.caption} aria-label="What happens in this step" data-region="caption">
      <h2 data-testid="caption">
        {idleMs > IDLE_WORTH_SAYING_MS ? <span className={styles.idle}>{duration(idleMs)} pass</span> : null}
        {caption ? caption.title : 'Nothing has happened yet.'}
      </h2>
      <p title={caption?.because}>{caption ? caption.because : 'Apply a manifest, or press play, and every message is explained here.'}</p>
      <div className={styles.captionMeta}>
        {caption ? (
          <>
            <a href={caption.concept.url} target="_blank" rel="noreferrer noopener">
              {caption.concept.label}
            </a>
            <Button shortcut="W" onClick={() => session.select({ type: 'record', record: caption.record })}>
              Why?
            </Button>
          </>
        ) : null}
        <span
          data-testid="position"
          className={styles.position}
          title={`Of the ${UNITS[size]} known on this branch; stepping on from the last one finds the next`}
        >
          {position.index} of {position.of} {UNITS[size]}
        </span>
      </div>
    </section>
  )
}
