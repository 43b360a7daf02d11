// Where everything is drawn. The architecture has a known structure, so its layout is fixed slots, not a solver: an element that did not
// change never moves because another one did. Coordinates are React Flow's, in px at zoom 1.
import type { ComponentElement, HostElement, PodElement, SceneElement } from '../../projection/scene.ts'

export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Layout {
  readonly rects: ReadonlyMap<string, Rect>
  /** Which slot of its machine (or of the waiting tray) a pod has; kept while it lives. */
  readonly slots: ReadonlyMap<string, { readonly host: string; readonly slot: number }>
  readonly bounds: Rect
  readonly density: ReadonlyMap<string, PodDensity>
  /** Pods for which a machine (or the waiting tray, '') has no room: never drawn, always counted. */
  readonly hidden: ReadonlyMap<string, number>
}

/** Cards with name and status, small ones with a name, dots with a glyph. */
export type PodDensity = 'card' | 'small' | 'dot'

export const PERSON = { width: 112, height: 60 }
const LEFT = 136
const GAP = 16
const WORKER_WIDTH = 240
const WORKER_HEIGHT = 292
const CONTROL_HEIGHT = 336
const PART_HEIGHT = 124
const BAR_TOP = 40 + PART_HEIGHT + 42
const BAR_HEIGHT = 64
const STRIP_TOP = BAR_TOP + BAR_HEIGHT + 12
const CONTROL_TOP = 0
/** Messages travel here, and pods wait here for a node. */
const MIDDLE = 96
const PAD = 16

const POD_AREA = { top: 92, height: 144 }
const DENSITY: readonly { density: PodDensity; columns: number; rows: number; gap: number }[] = [
  { density: 'card', columns: 2, rows: 3, gap: 6 },
  { density: 'small', columns: 2, rows: 6, gap: 4 },
  { density: 'dot', columns: 11, rows: 10, gap: 3 },
]

const WAITING: typeof DENSITY = [
  { density: 'card', columns: 5, rows: 1, gap: 8 },
  { density: 'small', columns: 6, rows: 2, gap: 4 },
  { density: 'dot', columns: 36, rows: 3, gap: 3 },
]
/** Pods that the control-plane node has room for, right of its own chips. */
const CONTROL: typeof DENSITY = [
  { density: 'card', columns: 3, rows: 1, gap: 8 },
  { density: 'small', columns: 3, rows: 2, gap: 4 },
  { density: 'dot', columns: 18, rows: 2, gap: 3 },
]

const componentId = (name: ComponentElement['component'], host: string): string => `component:${name}/${host}`

export function layoutScene(elements: ReadonlyMap<string, SceneElement>, previous?: Layout): Layout {
  const rects = new Map<string, Rect>()
  const density = new Map<string, PodDensity>()
  const hosts = [...elements.values()].filter((e): e is HostElement => e.type === 'host').sort(byName)
  const controls = hosts.filter((h) => h.role === 'control-plane')
  const workers = hosts.filter((h) => h.role === 'worker')
  const perRow = Math.min(Math.max(workers.length, 1), workers.length > 4 ? Math.ceil(Math.sqrt(workers.length * 2.2)) : 4)
  const workersWidth = perRow * WORKER_WIDTH + (perRow - 1) * GAP
  const controlWidth =
    controls.length > 1 ? Math.max(620, (workersWidth - GAP * (controls.length - 1)) / controls.length) : Math.max(workersWidth, 712)
  const width = Math.max(workersWidth, controls.length * controlWidth + (controls.length - 1) * GAP)

  controls.forEach((host, i) => {
    const rect = { x: LEFT + i * (controlWidth + GAP), y: CONTROL_TOP, width: controlWidth, height: CONTROL_HEIGHT }
    rects.set(host.id, rect)
    placeControlPlane(rects, host, rect)
  })
  const workersTop = CONTROL_TOP + (controls.length > 0 ? CONTROL_HEIGHT + MIDDLE : 0)
  const workersLeft = LEFT + (width - workersWidth) / 2
  workers.forEach((host, i) => {
    const rect = {
      x: workersLeft + (i % perRow) * (WORKER_WIDTH + GAP),
      y: workersTop + Math.floor(i / perRow) * (WORKER_HEIGHT + GAP),
      width: WORKER_WIDTH,
      height: WORKER_HEIGHT,
    }
    rects.set(host.id, rect)
    placeWorker(rects, host, rect)
  })
  const bar = controls[0] ? rects.get(componentId('kube-apiserver', nameOf(controls[0]))) : undefined
  const youTop = bar ? bar.y + bar.height / 2 - PERSON.height / 2 : 60
  rects.set('you', { x: 0, y: youTop, ...PERSON })
  rects.set('outside', { x: 0, y: workersTop + 60, ...PERSON })
  const tray: Rect = { x: LEFT, y: CONTROL_TOP + CONTROL_HEIGHT + 32, width, height: 44 }
  const hidden = new Map<string, number>()
  const slots = placePods(elements, hosts, rects, density, hidden, tray, previous)
  const rows = Math.ceil(workers.length / perRow)
  return {
    rects,
    slots,
    density,
    hidden,
    bounds: { x: 0, y: CONTROL_TOP, width: LEFT + width, height: workersTop + rows * (WORKER_HEIGHT + GAP) - GAP },
  }
}

function placeControlPlane(rects: Map<string, Rect>, host: HostElement, r: Rect): void {
  const name = nameOf(host)
  const inner = r.width - 2 * PAD
  const top = r.y + 40
  const unit = (inner - 2 * 14) / 4
  const put = (component: ComponentElement['component'], x: number, y: number, width: number, height: number): void =>
    void rects.set(componentId(component, name), { x: r.x + PAD + x, y, width, height })
  put('etcd', 0, top, unit, PART_HEIGHT)
  put('kube-scheduler', unit + 14, top, unit * 1.1, PART_HEIGHT)
  put('kube-controller-manager', unit * 2.1 + 28, top, unit * 1.9, PART_HEIGHT)
  put('kube-apiserver', 0, r.y + BAR_TOP, inner, BAR_HEIGHT)
  CHIPS.forEach(([c, , width], i) =>
    put(
      c,
      CHIPS.slice(0, i).reduce((n, [, , w]) => n + w + 6, 0),
      r.y + STRIP_TOP,
      width,
      42,
    ),
  )
}

/** Component, width on a worker, width on the control plane. */
const CHIPS = [
  ['kubelet', 54, 66],
  ['containerd', 75, 84],
  ['kube-proxy', 77, 84],
] as const
const CHIPS_WIDTH = 66 + 84 + 84 + 12 + 10

function placeWorker(rects: Map<string, Rect>, host: HostElement, r: Rect): void {
  const name = nameOf(host)
  let x = r.x + 12
  for (const [component, width] of CHIPS) {
    rects.set(componentId(component, name), { x, y: r.y + 40, width, height: 30 })
    x += width + 5
  }
}

function placePods(
  elements: ReadonlyMap<string, SceneElement>,
  hosts: readonly HostElement[],
  rects: Map<string, Rect>,
  density: Map<string, PodDensity>,
  hidden: Map<string, number>,
  tray: Rect,
  previous: Layout | undefined,
): Layout['slots'] {
  const slots = new Map<string, { host: string; slot: number }>()
  const byHost = new Map<string, PodElement[]>()
  const known = new Set(hosts.map((h) => nameOf(h)))
  for (const element of elements.values()) {
    if (element.type !== 'pod') continue
    const host = element.node !== undefined && known.has(element.node) ? element.node : ''
    const list = byHost.get(host)
    if (list) list.push(element)
    else byHost.set(host, [element])
  }
  for (const [host, pods] of byHost) {
    const taken = new Set<number>()
    const fresh: PodElement[] = []
    for (const pod of pods) {
      const old = previous?.slots.get(pod.id)
      if (old && old.host === host && !taken.has(old.slot)) {
        slots.set(pod.id, old)
        taken.add(old.slot)
      } else fresh.push(pod)
    }
    let next = 0
    for (const pod of fresh.sort(byName)) {
      while (taken.has(next)) next++
      taken.add(next)
      slots.set(pod.id, { host, slot: next })
    }
    let highest = 0
    for (const slot of taken) highest = Math.max(highest, slot + 1)
    const element = hosts.find((h) => nameOf(h) === host)
    const card = rects.get(`host:${host}`)
    const area: Rect =
      !element || !card
        ? tray
        : element.role === 'control-plane'
          ? { x: card.x + PAD + CHIPS_WIDTH, y: card.y + STRIP_TOP, width: card.width - 2 * PAD - CHIPS_WIDTH, height: 42 }
          : { x: card.x + 12, y: card.y + POD_AREA.top, width: card.width - 24, height: POD_AREA.height }
    const grids = !element ? WAITING : element.role === 'control-plane' ? CONTROL : DENSITY
    const mode = grids.find((d) => highest <= d.columns * d.rows) ?? (grids[grids.length - 1] as (typeof DENSITY)[number])
    density.set(host, mode.density)
    const room = mode.columns * mode.rows
    const width = (area.width - (mode.columns - 1) * mode.gap) / mode.columns
    const height = (area.height - (mode.rows - 1) * mode.gap) / mode.rows
    let left = 0
    for (const pod of pods) {
      const { slot } = slots.get(pod.id) as { slot: number }
      if (slot >= room) left++
      else
        rects.set(pod.id, {
          x: area.x + (slot % mode.columns) * (width + mode.gap),
          y: area.y + Math.floor(slot / mode.columns) * (height + mode.gap),
          width,
          height,
        })
    }
    if (left > 0) hidden.set(host, left)
  }
  return slots
}

/** `host:node-1` → `node-1`. */
export const nameOf = (host: HostElement): string => host.id.slice('host:'.length)

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return natural(a.name, b.name)
}

/** node-2 before node-10. */
export function natural(a: string, b: string): number {
  const split = /(\d+)/
  const [as, bs] = [a.split(split), b.split(split)]
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const [x, y] = [as[i] as string, bs[i] as string]
    if (x === y) continue
    const [n, m] = [Number(x), Number(y)]
    if (i % 2 === 1 && n !== m) return n - m
    return x < y ? -1 : 1
  }
  return as.length - bs.length
}

/** Where a message leaves `from` and reaches `to`: vertical or horizontal where the two face each other, else from border to border. */
export function route(from: Rect, to: Rect): { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number } {
  const overlap = (a1: number, a2: number, b1: number, b2: number): number | undefined => {
    const low = Math.max(a1, b1)
    const high = Math.min(a2, b2)
    if (high - low < 8) return undefined
    // The narrower one's middle, kept off the corners of the other.
    const middle = a2 - a1 < b2 - b1 ? (a1 + a2) / 2 : (b1 + b2) / 2
    return Math.min(Math.max(middle, low + 4), high - 4)
  }
  // Neighbours in a row talk through the channel below them, a part talks to its machine just below itself: names stay free.
  const row = from.y === to.y && from.height === to.height && Math.max(from.x, to.x) - Math.min(from.x + from.width, to.x + to.width) < 40
  if (row) {
    const y = from.y + from.height + Math.min(10, from.height / 4)
    return { x1: from.x + from.width / 2, y1: y, x2: to.x + to.width / 2, y2: y }
  }
  if (contains(to, from))
    return { x1: from.x + from.width / 2, y1: from.y + from.height, x2: from.x + from.width / 2, y2: from.y + from.height * 1.7 }
  if (contains(from, to)) return { x1: to.x + to.width / 2, y1: to.y + to.height * 1.7, x2: to.x + to.width / 2, y2: to.y + to.height }
  const x = overlap(from.x, from.x + from.width, to.x, to.x + to.width)
  const y = overlap(from.y, from.y + from.height, to.y, to.y + to.height)
  if (x !== undefined && y === undefined)
    return from.y < to.y ? { x1: x, y1: from.y + from.height, x2: x, y2: to.y } : { x1: x, y1: from.y, x2: x, y2: to.y + to.height }
  if (y !== undefined && x === undefined)
    return from.x < to.x ? { x1: from.x + from.width, y1: y, x2: to.x, y2: y } : { x1: from.x, y1: y, x2: to.x + to.width, y2: y }
  const [fx, fy] = [from.x + from.width / 2, from.y + from.height / 2]
  const [tx, ty] = [to.x + to.width / 2, to.y + to.height / 2]
  return { ...border(from, fx, fy, tx, ty, 1), ...border(to, tx, ty, fx, fy, 2) } as { x1: number; y1: number; x2: number; y2: number }
}

const contains = (outer: Rect, inner: Rect): boolean =>
  outer.x <= inner.x &&
  outer.y <= inner.y &&
  outer.x + outer.width >= inner.x + inner.width &&
  outer.y + outer.height >= inner.y + inner.height

function border(r: Rect, cx: number, cy: number, tx: number, ty: number, end: 1 | 2): Record<string, number> {
  const dx = tx - cx
  const dy = ty - cy
  const scale = Math.min(
    dx === 0 ? Number.POSITIVE_INFINITY : r.width / 2 / Math.abs(dx),
    dy === 0 ? Number.POSITIVE_INFINITY : r.height / 2 / Math.abs(dy),
    1,
  )
  return { [`x${end}`]: cx + dx * scale, [`y${end}`]: cy + dy * scale }
}
