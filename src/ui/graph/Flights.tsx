// One canvas over the picture draws every message of the present step. Where a message is follows from the time since the step,
// so pausing, stepping back and reduced motion are the same code. Direction by arrow, kind by line, outcome by mark: never by colour alone.
import { useStore as useFlow } from '@xyflow/react'
import { useEffect, useRef } from 'react'
import type { Flight } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { useMotion } from '../app/motion.ts'
import styles from './Graph.module.css'
import { useGraph } from './GraphContext.ts'
import { type Rect, route } from './layout.ts'

export const LINE: Readonly<Record<Flight['flow'], { readonly dash: readonly number[]; readonly width: number; readonly colour: string; readonly word: string }>> = {
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
  const theme = useSessionTheme()
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
    const colours = getComputedStyle(element)
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
      const [x, y, zoom] = transform
      context.setTransform(scale * zoom, 0, 0, scale * zoom, scale * x, scale * y)
      drawFlights(context, flights, rects, colours, ease(progress), reduced)
      if (progress < 1) frame = requestAnimationFrame(draw)
    }
    draw()
    return () => cancelAnimationFrame(frame)
    // `theme` is listed because a new theme means new colours for the same picture.
  }, [flights, step, transform, rects, reduced, session, theme])

  return <canvas ref={canvas} className={styles.flights} style={{ width: '100%', height: '100%' }} aria-hidden="true" />
}

function useSessionTheme(): string {
  return document.documentElement.dataset.theme ?? 'dark'
}

const ease = (t: number): number => 1 - (1 - t) ** 3

/** Exported for the frame benchmark. */
export function drawFlights(
  context: CanvasRenderingContext2D,
  flights: readonly Flight[],
  rects: ReadonlyMap<string, Rect>,
  colours: CSSStyleDeclaration,
  progress: number,
  numbered: boolean,
): void {
  const labelled = flights.length <= LABEL_LIMIT
  flights.forEach((flight, i) => {
    const [from, to] = [rects.get(flight.from), rects.get(flight.to)]
    if (!from || !to || flight.from === flight.to) return
    const line = LINE[flight.flow]
    const colour = colours.getPropertyValue(flight.outcome === 'rejected' ? '--red' : line.colour).trim()
    const path = route(from, to)
    // Both directions between two elements run side by side.
    const angle = Math.atan2(path.y2 - path.y1, path.x2 - path.x1)
    const [ox, oy] = [Math.sin(angle) * 5, -Math.cos(angle) * 5]
    const end = flight.outcome === 'lost' ? Math.min(progress, 0.55) : progress
    const [x1, y1] = [path.x1 + ox, path.y1 + oy]
    const [px, py] = [x1 + (path.x2 - path.x1) * end, y1 + (path.y2 - path.y1) * end]
    context.globalAlpha = flight.outcome === 'lost' ? 0.55 : 1
    context.strokeStyle = colour
    context.fillStyle = colour
    context.lineWidth = line.width
    context.setLineDash(line.dash as number[])
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(px, py)
    context.stroke()
    context.setLineDash([])
    arrow(context, px, py, angle, line.width + 5)
    if (flight.outcome === 'rejected' && progress >= 1) bar(context, px, py, angle)
    if (flight.outcome === 'lost' && progress >= 0.55) cross(context, px, py)
    if (labelled) label(context, `${numbered && flights.length > 1 ? `${i + 1} ` : ''}${flight.summary}`, px, py, angle, colour, colours)
    context.globalAlpha = 1
  })
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, angle: number, size: number): void {
  context.save()
  context.translate(x, y)
  context.rotate(angle)
  context.beginPath()
  context.moveTo(3, 0)
  context.lineTo(-size, size * 0.62)
  context.lineTo(-size, -size * 0.62)
  context.closePath()
  context.fill()
  context.restore()
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

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, angle: number, colour: string, colours: CSSStyleDeclaration): void {
  context.font = `600 13px ${colours.getPropertyValue('--font-ui')}`
  const width = context.measureText(text).width + 18
  const vertical = Math.abs(Math.sin(angle)) > 0.7
  // Beside a vertical line, above a horizontal one, behind the tip.
  const [cx, cy] = vertical ? [x + 14 + width / 2, y - Math.sign(Math.sin(angle)) * 22] : [x - Math.sign(Math.cos(angle)) * (width / 2 + 4), y - 20]
  context.beginPath()
  context.roundRect(cx - width / 2, cy - 12, width, 24, 12)
  context.fillStyle = colours.getPropertyValue('--panel').trim()
  context.fill()
  context.lineWidth = 1.5
  context.strokeStyle = colour
  context.stroke()
  context.fillStyle = colours.getPropertyValue('--text').trim()
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillText(text, cx, cy + 0.5)
}
