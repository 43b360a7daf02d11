// Shown while nothing is selected and nothing happens: how to read the picture.
import { LINE } from '../graph/Flights.tsx'
import { STATUS } from '../kit/status.tsx'
import type { Status } from '../../projection/scene.ts'
import styles from './Inspector.module.css'

const STATUSES: readonly (readonly [Status, string])[] = [
  ['ready', 'runs and is ready'],
  ['progressing', 'on its way'],
  ['failed', 'does not work'],
  ['completed', 'ended well'],
  ['terminating', 'is being ended'],
  ['stopped', 'no process, no power'],
  ['unknown', 'not heard of for a while'],
]
const KINDS = [
  ['write', 'asks for a change'],
  ['read', 'asks what there is'],
  ['watch', 'is told of a change'],
  ['data', 'a packet between pods'],
  ['control', 'orders on a machine'],
] as const

export function ReadingGuide() {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={styles.scroll} tabIndex={0} aria-label="How to read the picture">
      <h2 className={styles.guideTitle}>How to read the picture</h2>
      <p className={styles.about}>
        The control plane decides, the machines below it run pods, and everything meets at the API server. Click anything to look inside.
      </p>
      <h3 className={styles.heading}>Messages</h3>
      <dl className={styles.guide}>
        {KINDS.map(([kind, text]) => (
          <div key={kind}>
            <dt>
              <svg width="44" height="14" aria-hidden="true">
                <line
                  x1="0"
                  y1="7"
                  x2="34"
                  y2="7"
                  stroke={`var(${LINE[kind].colour})`}
                  strokeWidth={LINE[kind].width}
                  strokeDasharray={LINE[kind].dash.join(' ')}
                />
                <path d="M44,7 l-11,-5 v10 z" fill={`var(${LINE[kind].colour})`} />
              </svg>
              {LINE[kind].word}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
        <div>
          <dt>
            <svg width="44" height="18" aria-hidden="true">
              <path d="M0,9 H34 M38,1 V17" stroke="var(--red)" strokeWidth="3" fill="none" />
            </svg>
            refused
          </dt>
          <dd>a bar stops it</dd>
        </div>
        <div>
          <dt>
            <svg width="44" height="18" aria-hidden="true">
              <path d="M0,9 H24 M28,3 l12,12 M40,3 l-12,12" stroke="var(--grey)" strokeWidth="3" fill="none" />
            </svg>
            lost
          </dt>
          <dd>ends half way</dd>
        </div>
      </dl>
      <h3 className={styles.heading}>Pods and machines</h3>
      <dl className={styles.guide}>
        {STATUSES.map(([status, text]) => (
          <div key={status}>
            <dt>
              <span
                className={styles.swatch}
                style={{ borderStyle: STATUS[status].border, borderColor: `var(--status-${status})`, color: `var(--status-${status})` }}
                aria-hidden="true"
              >
                {STATUS[status].glyph}
              </span>
              {STATUS[status].word}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
