// One canvas over the picture draws every message of the present step. Where a message is follows from the time since the step,
// so pausing, stepping back and reduced motion are the same code. Direction by arrow, kind by line, outcome by mark: never by colour alone.
import { useStore as useFlow } from '@xyflow/react'
import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { Flight } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { useMotion } from '../app/motion.ts'
import styles from './Graph.module.css'
import { useGraph } from './GraphContext.ts'
import { type Rect, route } from './layout.ts'

export const LINE: Readonly<
  Record<Flight['flow'], { readonly dash: readonly number[]; readonly width: number; readonly colour: string; readonly word: string }>
> = {
  write: { dash: [], width: 2, colour: '--accent', word: 'write' },
  read: { dash: [2, 5], width: 2, colour: '--blue', word: 'read' },
  watch: { dash: [12, 6], width: 2, colour: '--violet', word: 'watch' },
  raft: { dash: [3, 3], width: 1.5, colour: '--grey', word: 'raft' },
  data: { dash: [], width: 4, colour: '--green', word: 'data' },
  control: { dash: [6, 3, 2, 3], width: 1.5, colour: '--grey', word: 'control' },
}

/** Labels are readable for this many flights; more are arrows only. */
const LABEL_LIMIT = 6

export function Flights() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const transform = useFlow((s) => s.transform)
  const flights = useSessionState((s) => s.flights)
  const step = useSessionState((s) => s.step)
  const theme = useTheme()
  const { rects } = useGraph((g) => g.layout)
  const session = useSession()
  const reduced = useMotion() === 'reduced'
  const started = useRef({ step: -1, at: 0 })

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context) return
    if (started.current.step !== step) started.current = { step, at: performance.now() }
    const { speed, playing } = session.store.getState()
    const travelMs = playing ? Math.max(120, 900 / speed) : 700
    const [x, y, zoom] = transform
    const paint = paintOf(element, zoom)
    const paths = pathsOf(flights, rects, (r) => ({ x: r.x * zoom + x, y: r.y * zoom + y, width: r.width * zoom, height: r.height * zoom }))
    let labels: readonly PlacedLabel[] | undefined
    let frame = 0
    const draw = (): void => {
      const progress = reduced ? 1 : Math.min(1, (performance.now() - started.current.at) / travelMs)
      const scale = window.devicePixelRatio || 1
      const { clientWidth: width, clientHeight: height } = element
      if (element.width !== Math.round(width * scale) || element.height !== Math.round(height * scale)) {
        element.width = Math.round(width * scale)
        element.height = Math.round(height * scale)
      }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      context.clearRect(0, 0, width, height)
      if (paths.length > 0) {
        labels ??=
          paths.length > LABEL_LIMIT
            ? []
            : placeLabels(context, paths, obstaclesIn(rects, transform), { x: 0, y: 0, width, height }, paint, reduced)
        drawFlights(context, paths, paint, ease(progress), Math.max(0.75, Math.min(1.3, zoom)))
        drawLabels(context, labels, paint, Math.min(1, progress * 3))
      }
      if (progress < 1 && paths.length > 0) frame = requestAnimationFrame(draw)
    }
    draw()
    return () => cancelAnimationFrame(frame)
    // `theme` is listed because a new theme means new colours for the same picture.
  }, [flights, step, transform, rects, reduced, session, theme])

  return <canvas ref={canvas} className={styles.flights} style={{ width: '100%', height: '100%' }} aria-hidden="true" />
}

/** The theme as a value that changes with it. */
function useTheme(): string {
  return useSyncExternalStore(
    (listener) => {
      const observer = new MutationObserver(listener)
      observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
      return () => observer.disconnect()
    },
    () => document.documentElement.dataset.theme ?? 'dark',
  )
}

const ease = (t: number): number => 1 - (1 - t) ** 3

interface Paint {
  readonly of: Readonly<Record<Flight['flow'], string>>
  readonly red: string
  readonly panel: string
  readonly text: string
  readonly font: string
}

/** Computed styles are read once per picture: six hundred look-ups per frame would cost more than the drawing. */
function paintOf(element: Element, zoom: number): Paint {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const of = Object.fromEntries(Object.entries(LINE).map(([flow, { colour: name }]) => [flow, colour(name)])) as Record<
    Flight['flow'],
    string
  >
  return {
    of,
    red: colour('--red'),
    panel: colour('--panel'),
    text: colour('--text'),
    font: `600 ${Math.round(Math.max(12, Math.min(16, 16.5 * zoom)))}px ${colour('--font-ui')}`,
  }
}

interface Path {
  readonly flight: Flight
  readonly x1: number
  readonly y1: number
  readonly dx: number
  readonly dy: number
  readonly angle: number
}

/** Lines on the screen. Both directions between two elements run side by side. */
function pathsOf(flights: readonly Flight[], rects: ReadonlyMap<string, Rect>, toScreen: (rect: Rect) => Rect): Path[] {
  const out: Path[] = []
  for (const flight of flights) {
    const [from, to] = [rects.get(flight.from), rects.get(flight.to)]
    if (!from || !to || flight.from === flight.to) continue
    const { x1, y1, x2, y2 } = route(toScreen(from), toScreen(to))
    const angle = Math.atan2(y2 - y1, x2 - x1)
    out.push({ flight, x1: x1 + Math.sin(angle) * 5, y1: y1 - Math.cos(angle) * 5, dx: x2 - x1, dy: y2 - y1, angle })
  }
  return out
}

function drawFlights(context: CanvasRenderingContext2D, paths: readonly Path[], paint: Paint, progress: number, size: number): void {
  for (const { flight, x1, y1, dx, dy, angle } of paths) {
    const line = LINE[flight.flow]
    const colour = flight.outcome === 'rejected' ? paint.red : paint.of[flight.flow]
    const end = flight.outcome === 'lost' ? Math.min(progress, 0.55) : progress
    const [px, py] = [x1 + dx * end, y1 + dy * end]
    context.globalAlpha = flight.outcome === 'lost' ? 0.6 : 1
    context.strokeStyle = colour
    context.fillStyle = colour
    context.lineWidth = line.width * size
    context.setLineDash(line.dash as number[])
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(px, py)
    context.stroke()
    context.setLineDash([])
    arrow(context, px, py, angle, (line.width + 6) * size)
    if (flight.outcome === 'rejected' && progress >= 1) bar(context, px, py, angle)
    if (flight.outcome === 'lost' && progress >= 0.55) cross(context, px, py)
  }
  context.globalAlpha = 1
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, angle: number, size: number): void {
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const point = (along: number, aside: number): [number, number] => [x + along * c - aside * s, y + along * s + aside * c]
  context.beginPath()
  context.moveTo(...point(3, 0))
  context.lineTo(...point(-size, size * 0.62))
  context.lineTo(...point(-size, -size * 0.62))
  context.closePath()
  context.fill()
}

function bar(context: CanvasRenderingContext2D, x: number, y: number, angle: number): void {
  context.save()
  context.translate(x, y)
  context.rotate(angle)
  context.lineWidth = 4
  context.beginPath()
  context.moveTo(5, -11)
  context.lineTo(5, 11)
  context.stroke()
  context.restore()
}

function cross(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.lineWidth = 3
  context.beginPath()
  context.moveTo(x - 7, y - 7)
  context.lineTo(x + 7, y + 7)
  context.moveTo(x + 7, y - 7)
  context.lineTo(x - 7, y + 7)
  context.stroke()
}

interface PlacedLabel {
  readonly text: string
  readonly box: Rect
  readonly colour: string
}

interface Obstacle extends Rect {
  readonly weight: number
}

/** What a label should not cover, on the screen: names of components and pods and headers of machines, less so the rest of a component. */
function obstaclesIn(rects: ReadonlyMap<string, Rect>, [x, y, zoom]: readonly [number, number, number]): Obstacle[] {
  const out: Obstacle[] = []
  for (const [id, r] of rects) {
    const named = id.startsWith('host:') ? 34 : r.height < 60 ? r.height : 30
    const place = { x: r.x * zoom + x, y: r.y * zoom + y, width: r.width * zoom }
    out.push({ ...place, height: named * zoom, weight: 1 })
    if (named < r.height && !id.startsWith('host:'))
      out.push({ ...place, y: place.y + named * zoom, height: (r.height - named) * zoom, weight: 0.4 })
  }
  return out
}

function placeLabels(
  context: CanvasRenderingContext2D,
  paths: readonly Path[],
  obstacles: readonly Obstacle[],
  view: Rect,
  paint: Paint,
  numbered: boolean,
): PlacedLabel[] {
  context.font = paint.font
  const out: PlacedLabel[] = []
  paths.forEach(({ flight, x1, y1, dx, dy }, i) => {
    const text = fitted(context, `${numbered && paths.length > 1 ? `${i + 1} ` : ''}${flight.summary}`, Math.min(340, view.width - 24))
    const box = bestPlace(
      { x1, y1, dx, dy },
      context.measureText(text).width + 22,
      obstacles,
      out.map((l) => l.box),
      view,
    )
    out.push({ text, box, colour: flight.outcome === 'rejected' ? paint.red : paint.of[flight.flow] })
  })
  return out
}

function fitted(context: CanvasRenderingContext2D, text: string, limit: number): string {
  if (context.measureText(text).width <= limit) return text
  let end = text.length
  while (end > 4 && context.measureText(`${text.slice(0, end)}…`).width > limit) end--
  return `${text.slice(0, end)}…`
}

const LABEL_HEIGHT = 24

/** Of places around the line, the one that covers the least: other labels count most, then the line itself, then names. */
export function bestPlace(
  path: { x1: number; y1: number; dx: number; dy: number },
  width: number,
  obstacles: readonly Obstacle[],
  labels: readonly Rect[],
  view: Rect,
): Rect {
  let best: { box: Rect; cost: number } | undefined
  const line = {
    x: Math.min(path.x1, path.x1 + path.dx) - 6,
    y: Math.min(path.y1, path.y1 + path.dy) - 6,
    width: Math.abs(path.dx) + 12,
    height: Math.abs(path.dy) + 12,
  }
  const straight = Math.abs(path.dx) < 12 || Math.abs(path.dy) < 12
  for (const along of [0.5, 0.7, 0.3, 0.9, 0.1])
    for (const [ax, ay] of [
      [0.5, 0],
      [-0.5, 0],
      [0, -0.5],
      [0, 0.5],
      [0.5, -0.8],
      [-0.5, -0.8],
      [0.5, 0.8],
      [-0.5, 0.8],
      [0, -1.6],
      [0, 1.6],
    ] as const) {
      const cx = path.x1 + path.dx * along + ax * (width + 20)
      const cy = path.y1 + path.dy * along + ay * (LABEL_HEIGHT + 14)
      const x = Math.min(Math.max(cx - width / 2, view.x + 6), view.x + view.width - width - 6)
      const y = Math.min(Math.max(cy - LABEL_HEIGHT / 2, view.y + 6), view.y + view.height - LABEL_HEIGHT - 6)
      const box = { x, y, width, height: LABEL_HEIGHT }
      const moved = Math.abs(x + width / 2 - cx) + Math.abs(y + LABEL_HEIGHT / 2 - cy)
      const cost =
        obstacles.reduce((n, r) => n + r.weight * overlap(box, r), 0) +
        (straight ? 2 * overlap(box, line) : 0) +
        4 * labels.reduce((n, r) => n + overlap(box, r), 0) +
        moved * 2 +
        Math.abs(along - 0.5) * 8
      if (!best || cost < best.cost) best = { box, cost }
    }
  return (best as { box: Rect }).box
}

const overlap = (a: Rect, b: Rect): number =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y))

function drawLabels(context: CanvasRenderingContext2D, labels: readonly PlacedLabel[], paint: Paint, alpha: number): void {
  context.font = paint.font
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.globalAlpha = alpha
  for (const { text, box, colour } of labels) {
    context.beginPath()
    context.roundRect(box.x, box.y, box.width, box.height, box.height / 2)
    context.fillStyle = paint.panel
    context.fill()
    context.lineWidth = 1.75
    context.strokeStyle = colour
    context.stroke()
    context.fillStyle = paint.text
    context.fillText(text, box.x + box.width / 2, box.y + box.height / 2 + 0.5)
  }
  context.globalAlpha = 1
}
