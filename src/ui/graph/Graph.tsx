// The picture: React Flow carries the machines and people, one canvas the messages. One tab stop; arrow keys move between elements.
import {
  Background,
  BackgroundVariant,
  type Edge,
  type EdgeProps,
  type Node,
  type NodeProps,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore as useFlow,
} from '@xyflow/react'
import { type KeyboardEvent, memo, type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import type { SceneElement } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { Maximize2, ZoomIn, ZoomOut } from 'lucide-react'
import { ContextMenu, type MenuPlace } from './ContextMenu.tsx'
import { Host, Parts, Person, Ports } from './elements.tsx'
import { Flights, LINE } from './Flights.tsx'
import styles from './Graph.module.css'
import { STATUS } from '../kit/status.tsx'
import { GraphContext, type GraphState, type PlacedLayout, useGraph } from './GraphContext.ts'
import { type Layout, layoutScene, type Rect, route } from './layout.ts'

type HostNode = Node<{ origin: Rect }, 'host'>
type PersonNode = Node<Record<string, never>, 'person'>
type TrayNode = Node<{ origin: Rect }, 'tray'>
type LinkEdge = Edge<{ path: string }, 'link'>

const nodeTypes = {
  host: memo(({ id, data }: NodeProps<HostNode>) => (
    <>
      <Ports />
      <Host id={id} origin={data.origin} />
    </>
  )),
  person: memo(({ id }: NodeProps<PersonNode>) => (
    <>
      <Ports />
      <Person id={id} />
    </>
  )),
  tray: memo(({ data }: NodeProps<TrayNode>) => (
    <div className={styles.tray}>
      <TrayNote />
      <Parts host="" origin={data.origin} />
    </div>
  )),
}

function TrayNote() {
  const count = useGraph((g) => g.layout.inside.get('')?.length ?? 0)
  const hidden = useGraph((g) => g.layout.hidden.get('') ?? 0)
  return (
    <span className={styles.trayNote}>
      {count === 1 ? 'waits for a node' : `${count} pods wait for a node`}
      {hidden > 0 ? `, ${hidden} not drawn` : ''}
    </span>
  )
}

/** Below this zoom only names of machines and components and counts of pods are shown, in large type. */
const FAR_ZOOM = 0.5

function FarWatcher({ onChange }: { onChange(far: boolean): void }) {
  const far = useFlow((s) => s.transform[2] < FAR_ZOOM)
  useEffect(() => onChange(far), [far, onChange])
  return null
}

const edgeTypes = {
  link: memo(({ data }: EdgeProps<LinkEdge>) => <path d={data?.path} fill="none" stroke="var(--edge)" strokeWidth={1.25} />),
}

/** Elements inside each machine, in reading order. */
function place(elements: ReadonlyMap<string, SceneElement>, layout: Layout): PlacedLayout {
  const inside = new Map<string, string[]>()
  for (const element of elements.values()) {
    if (element.type === 'host' || element.type === 'person') continue
    const known = element.parent !== undefined && layout.rects.has(element.parent)
    const parent = known ? (element.parent as string) : ''
    if (element.type === 'component' && !known) continue
    const list = inside.get(parent)
    if (list) list.push(element.id)
    else inside.set(parent, [element.id])
  }
  return { ...layout, inside }
}

/** Set of elements that matters to the layout: a new step that only changes texts keeps the old one. */
function shapeOf(elements: ReadonlyMap<string, SceneElement>): string {
  const parts: string[] = []
  for (const e of elements.values()) parts.push(e.type === 'pod' ? `${e.id}@${e.node ?? ''}` : e.id)
  return parts.join('|')
}

function GraphInside() {
  const session = useSession()
  const version = useSessionState((s) => s.sceneVersion)
  const [graph] = useState(() =>
    createStore<GraphState>(() => ({
      layout: {
        rects: new Map(),
        slots: new Map(),
        density: new Map(),
        hidden: new Map(),
        inside: new Map(),
        bounds: { x: 0, y: 0, width: 1, height: 1 },
      },
      focus: null,
      far: false,
    })),
  )
  const [shape, setShape] = useState('')
  const [layout, setLayout] = useState<PlacedLayout>(graph.getState().layout)
  const flow = useReactFlow()

  useEffect(() => {
    const { elements } = session.store.getState()
    const next = `${version === 0 ? '' : shapeOf(elements)}`
    if (next === shape) return
    const placed = place(elements, layoutScene(elements, graph.getState().layout))
    graph.setState({ layout: placed })
    setLayout(placed)
    setShape(next)
  }, [version, shape, session, graph])

  const nodes = useMemo(() => makeNodes(session.store.getState().elements, layout), [layout, session])
  const edges = useMemo(() => makeEdges(session.store.getState().elements, layout), [layout, session])
  const { width, height } = layout.bounds
  const section = useRef<HTMLElement>(null)
  const [menu, setMenu] = useState<MenuPlace | null>(null)
  /** Once the visitor has zoomed or moved the picture, it stays where they put it. */
  const own = useRef(false)
  const fit = useCallback(() => {
    own.current = false
    void flow.fitView({ padding: 0.025, maxZoom: 1.6 })
  }, [flow])
  useEffect(() => {
    if (width <= 1 || !section.current) return
    let timer: ReturnType<typeof setTimeout> | undefined
    // The flow measures itself first.
    const refit = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => own.current || fit(), 30)
    }
    refit()
    const observer = new ResizeObserver(refit)
    observer.observe(section.current)
    return () => {
      clearTimeout(timer)
      observer.disconnect()
    }
  }, [width, height, fit])
  const onFar = useCallback((far: boolean) => graph.setState({ far }), [graph])
  const far = useStore(graph, (g) => g.far)

  const openMenu = (id: string, x: number, y: number): void => setMenu({ id, x, y })
  /** Arrow keys go on from what was clicked. */
  const onClick = (event: MouseEvent): void => {
    const id = (event.target as HTMLElement).closest<HTMLElement>('[data-element]')?.dataset.element
    if (id !== undefined) graph.setState({ focus: id })
  }
  const onContextMenu = (event: MouseEvent): void => {
    const id = (event.target as HTMLElement).closest<HTMLElement>('[data-element]')?.dataset.element
    if (id === undefined) return
    event.preventDefault()
    openMenu(id, event.clientX, event.clientY)
  }

  const zoom = (by: 1 | -1): void => {
    own.current = true
    void (by > 0 ? flow.zoomIn() : flow.zoomOut())
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const { rects } = graph.getState().layout
    const focus = graph.getState().focus ?? 'you'
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] as
      | [number, number]
      | undefined
    if (direction && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      const next = neighbour(rects, focus, direction)
      if (next) graph.setState({ focus: next })
      section.current?.focus()
      event.preventDefault()
      event.stopPropagation()
    } else if (event.key === 'Enter' && graph.getState().focus) {
      session.select({ type: 'element', id: focus })
      event.preventDefault()
    } else if ((event.key === '.' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && graph.getState().focus) {
      const box = section.current?.querySelector(`[data-element="${CSS.escape(focus)}"]`)?.getBoundingClientRect()
      if (box) openMenu(focus, box.left + Math.min(24, box.width / 2), box.top + Math.min(24, box.height))
      event.preventDefault()
      event.stopPropagation()
    } else if (event.key === 'Escape') session.select(null)
  }

  return (
    <GraphContext.Provider value={graph}>
      {/* The outline is the text twin of this picture; here one stop with roving focus is enough. */}
      <section
        ref={section}
        className={styles.graph}
        data-far={far}
        onContextMenu={onContextMenu}
        onClick={onClick}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture is one composite widget
        tabIndex={0}
        aria-label="Cluster picture. Arrow keys move between elements, Enter opens one, full stop its menu. The Outline tab has the same as text."
        data-region="graph"
        onKeyDown={onKeyDown}
        onFocus={() => graph.getState().focus ?? graph.setState({ focus: 'you' })}
      >
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          nodesFocusable={false}
          edgesFocusable={false}
          nodesDraggable={false}
          nodesConnectable={false}
          elementsSelectable={false}
          minZoom={0.15}
          onMoveStart={(event) => {
            if (event) own.current = true
          }}
          maxZoom={2.5}
          zoomOnDoubleClick={false}
          disableKeyboardA11y
          proOptions={{ hideAttribution: true }}
        >
          <Background variant={BackgroundVariant.Dots} gap={28} size={1} color="var(--line)" />
          <Flights />
          <FarWatcher onChange={onFar} />
        </ReactFlow>
        <FocusReader />
        <div className={styles.controls}>
          <Button label="Zoom in" onClick={() => zoom(1)}>
            <ZoomIn size={16} />
          </Button>
          <Button label="Zoom out" onClick={() => zoom(-1)}>
            <ZoomOut size={16} />
          </Button>
          <Button label="Fit the picture" onClick={fit}>
            <Maximize2 size={16} />
          </Button>
        </div>
        <Legend />
        {menu ? (
          <ContextMenu
            place={menu}
            onClose={() => {
              setMenu(null)
              section.current?.focus()
            }}
          />
        ) : null}
      </section>
    </GraphContext.Provider>
  )
}

function Legend() {
  return (
    <div className={styles.legend} aria-hidden="true">
      {(['write', 'read', 'watch', 'data'] as const).map((kind) => (
        <span key={kind}>
          <svg width="30" height="10" aria-hidden="true">
            <line
              x1="0"
              y1="5"
              x2="22"
              y2="5"
              stroke={`var(${LINE[kind].colour})`}
              strokeWidth={LINE[kind].width}
              strokeDasharray={LINE[kind].dash.join(' ')}
            />
            <path d="M30,5 l-9,-5 v10 z" fill={`var(${LINE[kind].colour})`} />
          </svg>
          {LINE[kind].word}
        </span>
      ))}
    </div>
  )
}

/** Says the focused element to a screen reader. */
function FocusReader() {
  const focus = useGraph((g) => g.focus)
  const element = useSessionState((s) => (focus ? s.elements.get(focus) : undefined))
  return (
    <span className="visually-hidden" role="status">
      {element ? describe(element) : ''}
    </span>
  )
}

function describe(element: SceneElement): string {
  const status = element.type === 'pod' || element.type === 'host' ? element.statusText : STATUS[element.status].word
  return [element.name, element.type, status, ...element.lines].join(', ')
}

function makeNodes(elements: ReadonlyMap<string, SceneElement>, layout: PlacedLayout): Node[] {
  const nodes: Node[] = []
  const fixed = { draggable: false, selectable: false, connectable: false }
  for (const [id, rect] of layout.rects) {
    const element = elements.get(id)
    if (!element || (element.type !== 'host' && element.type !== 'person')) continue
    const base = {
      id,
      position: { x: rect.x, y: rect.y },
      width: rect.width,
      height: rect.height,
      style: { width: rect.width, height: rect.height, pointerEvents: 'all' as const },
      ...fixed,
    }
    nodes.push(element.type === 'host' ? { ...base, type: 'host', data: { origin: rect } } : { ...base, type: 'person', data: {} })
  }
  const waiting = layout.inside.get('') ?? []
  if (waiting.length > 0) {
    const all = waiting.map((id) => layout.rects.get(id)).filter((r): r is Rect => r !== undefined)
    const x = Math.min(...all.map((r) => r.x))
    const y = Math.min(...all.map((r) => r.y))
    const origin = { x, y, width: Math.max(...all.map((r) => r.x + r.width)) - x, height: Math.max(...all.map((r) => r.y + r.height)) - y }
    nodes.push({
      id: 'tray',
      type: 'tray',
      position: { x, y },
      width: origin.width,
      height: origin.height,
      style: { width: origin.width, height: origin.height, pointerEvents: 'none' },
      data: { origin },
      ...fixed,
    })
  }
  return nodes
}

/** The connections that exist all the time: everything meets at the API server. */
function makeEdges(elements: ReadonlyMap<string, SceneElement>, layout: PlacedLayout): LinkEdge[] {
  const edges: LinkEdge[] = []
  const servers = [...elements.values()].filter((e) => e.type === 'component' && e.component === 'kube-apiserver')
  const parentOf = (id: string): string => {
    const element = elements.get(id)
    return element?.type === 'component' ? (element.parent ?? id) : id
  }
  const connect = (from: string, to: string): void => {
    const [a, b] = [layout.rects.get(from), layout.rects.get(to)]
    if (!a || !b) return
    const p = route(a, b)
    edges.push({
      id: `${from}>${to}`,
      source: parentOf(from),
      target: parentOf(to),
      type: 'link',
      data: { path: `M${p.x1},${p.y1}L${p.x2},${p.y2}` },
    })
  }
  for (const server of servers) {
    const host = server.type === 'component' ? server.parent : undefined
    for (const e of elements.values()) {
      if (
        e.type === 'component' &&
        e.parent === host &&
        (e.component === 'etcd' || e.component === 'kube-scheduler' || e.component === 'kube-controller-manager')
      )
        connect(e.id, server.id)
      if (e.type === 'host' && e.role === 'worker' && server === servers[0]) connect(e.id, server.id)
    }
  }
  if (servers[0]) connect('you', servers[0].id)
  return edges
}

/** Nearest element in the direction, measured between middles, with sideways distance counting double. */
export function neighbour(rects: ReadonlyMap<string, Rect>, from: string, [dx, dy]: readonly [number, number]): string | undefined {
  const start = rects.get(from)
  if (!start) return rects.keys().next().value
  const [sx, sy] = [start.x + start.width / 2, start.y + start.height / 2]
  let best: { id: string; distance: number } | undefined
  for (const [id, r] of rects) {
    if (id === from) continue
    const [x, y] = [r.x + r.width / 2 - sx, r.y + r.height / 2 - sy]
    const along = x * dx + y * dy
    const aside = Math.abs(x * dy) + Math.abs(y * dx)
    if (along <= 4) continue
    const distance = along + aside * 2
    if (!best || distance < best.distance) best = { id, distance }
  }
  return best?.id
}

export function Graph() {
  return (
    <ReactFlowProvider>
      <GraphInside />
    </ReactFlowProvider>
  )
}
