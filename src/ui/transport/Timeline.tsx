// A lane per kind of component. Time is story time: equal steps for equal amounts of happening, with long idle stretches folded,
// so that two busy milliseconds and forty idle seconds are both readable. Slider pattern: arrows, Home, End, pointer.
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react'
import { LANES, type TimelineMark } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { clock, duration } from '../app/format.ts'
import styles from './Transport.module.css'

/** A gap longer than this is drawn as a fold of fixed width. */
const FOLD_MS = 4000
const LABEL_WIDTH = 88

const LANE_COLOUR: Readonly<Record<(typeof LANES)[number], string>> = {
  you: '--accent',
  apiserver: '--accent',
  etcd: '--grey',
  controllers: '--blue',
  scheduler: '--violet',
  kubelets: '--green',
  traffic: '--grey',
}

export interface Scale {
  /** Virtual time → 0…1. */
  x(at: number): number
  at(x: number): number
  readonly folds: readonly { readonly from: number; readonly to: number; readonly x1: number; readonly x2: number }[]
}

/** Piecewise linear: busy stretches by the square root of their length, folds by a fixed width. */
export function makeScale(marks: readonly TimelineMark[], end: number): Scale {
  const times = [...new Set(marks.flatMap((m) => [m.from, m.to]))].sort((a, b) => a - b)
  const points: { at: number; width: number; fold: boolean }[] = []
  let last = 0
  for (const at of [...times, end]) {
    const gap = at - last
    if (gap <= 0) continue
    points.push({ at, width: gap > FOLD_MS ? 24 : Math.sqrt(Math.min(gap, 400)) + 0.4, fold: gap > FOLD_MS })
    last = at
  }
  const total = points.reduce((n, p) => n + p.width, 0) || 1
  const xs: number[] = [0]
  const ats: number[] = [0]
  const folds: { from: number; to: number; x1: number; x2: number }[] = []
  for (const p of points) {
    const x1 = xs[xs.length - 1] as number
    const x2 = x1 + p.width / total
    if (p.fold) folds.push({ from: ats[ats.length - 1] as number, to: p.at, x1, x2 })
    xs.push(x2)
    ats.push(p.at)
  }
  return {
    x: (at) => interpolate(ats, xs, at),
    at: (x) => interpolate(xs, ats, x),
    folds,
  }
}

function interpolate(from: readonly number[], to: readonly number[], value: number): number {
  let low = 0
  let high = from.length - 1
  if (high < 1) return 0
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((from[middle] as number) <= value) low = middle
    else high = middle
  }
  const [a, b] = [from[low] as number, from[high] as number]
  const share = b === a ? 0 : Math.min(1, Math.max(0, (value - a) / (b - a)))
  return (to[low] as number) + share * ((to[high] as number) - (to[low] as number))
}

export function Timeline() {
  const session = useSession()
  const marks = useSessionState((s) => s.marks)
  const end = useSessionState((s) => s.timelineEnd)
  const now = useSessionState((s) => s.now)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [hover, setHover] = useState<{ x: number; at: number; mark: TimelineMark | undefined } | null>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const scale = useMemo(() => makeScale(marks, Math.max(end, now, 1)), [marks, end, now])
  const pending = useRef<number | null>(null)

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    const themes = new MutationObserver(() => setSize((s) => ({ ...s })))
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => {
      observer.disconnect()
      themes.disconnect()
    }
  }, [])

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context || size.width === 0) return
    const ratio = window.devicePixelRatio || 1
    element.width = size.width * ratio
    element.height = size.height * ratio
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    paint(context, size, marks, scale, now, getComputedStyle(element))
  }, [marks, scale, now, size])

  const atOf = (event: PointerEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    return scale.at(Math.min(1, Math.max(0, (event.clientX - box.left - LABEL_WIDTH) / (box.width - LABEL_WIDTH - 8))))
  }
  /** While the pointer drags, only the newest place is sought. */
  const scrub = (at: number): void => {
    const idle = pending.current === null
    pending.current = at
    if (!idle) return
    const go = async (): Promise<void> => {
      while (pending.current !== null) {
        const target = pending.current
        await session.seek({ at: target })
        if (pending.current === target) pending.current = null
      }
    }
    void go()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => void session.step(-1, event.shiftKey ? 'milestone' : undefined),
      ArrowRight: () => void session.step(1, event.shiftKey ? 'milestone' : undefined),
      PageUp: () => void session.step(-1, 'milestone'),
      PageDown: () => void session.step(1, 'milestone'),
      Home: () => void session.first(),
      End: () => void session.last(),
    }
    const move = moves[event.key]
    if (!move) return
    move()
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div
      className={styles.timeline}
      role="slider"
      tabIndex={0}
      data-region="timeline"
      aria-label="Timeline"
      aria-valuemin={0}
      aria-valuemax={Math.round(Math.max(end, now))}
      aria-valuenow={Math.round(now)}
      aria-valuetext={`${clock(now)} of ${clock(Math.max(end, now))}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        scrub(atOf(event))
      }}
      onPointerMove={(event) => {
        const at = atOf(event)
        const box = event.currentTarget.getBoundingClientRect()
        setHover({ x: event.clientX - box.left, at, mark: nearest(marks, at) })
        if (event.buttons === 1) scrub(at)
      }}
      onPointerLeave={() => setHover(null)}
    >
      <canvas ref={canvas} aria-hidden="true" />
      {hover ? (
        <div className={styles.preview} style={{ left: Math.min(Math.max(hover.x, 170), size.width - 170) }}>
          <b>t + {clock(hover.at)}</b>
          {hover.mark?.label}
        </div>
      ) : null}
    </div>
  )
}

function nearest(marks: readonly TimelineMark[], at: number): TimelineMark | undefined {
  let best: TimelineMark | undefined
  for (const mark of marks) if (!best || Math.abs(mark.from - at) < Math.abs(best.from - at)) best = mark
  return best
}

function paint(
  context: CanvasRenderingContext2D,
  size: { width: number; height: number },
  marks: readonly TimelineMark[],
  scale: Scale,
  now: number,
  style: CSSStyleDeclaration,
): void {
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const { width, height } = size
  const left = LABEL_WIDTH
  const span = width - left - 8
  const lane = (height - 6) / LANES.length
  context.clearRect(0, 0, width, height)
  context.font = `${Math.min(13, lane)}px ${colour('--font-ui')}`
  context.textBaseline = 'middle'
  LANES.forEach((name, i) => {
    const y = 3 + lane * (i + 0.5)
    context.fillStyle = colour('--text-2')
    context.textAlign = 'left'
    context.fillText(name, 4, y)
    context.strokeStyle = colour('--line')
    context.lineWidth = 1
    context.beginPath()
    context.moveTo(left, y + lane / 2)
    context.lineTo(width - 8, y + lane / 2)
    context.stroke()
  })
  for (const fold of scale.folds) {
    const [x1, x2] = [left + fold.x1 * span, left + fold.x2 * span]
    context.fillStyle = colour('--raised')
    context.fillRect(x1 + 1, 0, Math.max(2, x2 - x1 - 2), height)
    const text = `${duration(fold.to - fold.from)} pass`
    if (x2 - x1 > context.measureText(text).width + 8) {
      context.fillStyle = colour('--text-3')
      context.textAlign = 'center'
      context.fillText(text, (x1 + x2) / 2, height / 2)
    }
  }
  for (const mark of marks) {
    const i = LANES.indexOf(mark.lane)
    const y = 3 + lane * i
    const x1 = left + scale.x(mark.from) * span
    const x2 = Math.max(x1 + 3, left + scale.x(mark.to) * span)
    context.globalAlpha = mark.from > now ? 0.4 : 1
    if (mark.tone === 'error' || mark.tone === 'fault') {
      context.fillStyle = colour('--red')
      context.beginPath()
      context.moveTo(x1, y + 2)
      context.lineTo(x1 + 5, y + lane - 3)
      context.lineTo(x1 - 5, y + lane - 3)
      context.closePath()
      context.fill()
    } else {
      context.fillStyle = colour(LANE_COLOUR[mark.lane])
      context.beginPath()
      context.roundRect(x1, y + 3, x2 - x1, Math.max(3, lane - 6), 2)
      context.fill()
    }
    context.globalAlpha = 1
  }
  const x = left + scale.x(now) * span
  context.strokeStyle = colour('--accent')
  context.fillStyle = colour('--accent')
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(x, 4)
  context.lineTo(x, height)
  context.stroke()
  context.beginPath()
  context.moveTo(x - 6, 0)
  context.lineTo(x + 6, 0)
  context.lineTo(x, 8)
  context.closePath()
  context.fill()
}
