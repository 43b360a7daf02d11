// The picture as a tree of text: the same elements, statuses and actions, for screen readers, search and small screens (ARIA treegrid pattern).
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import type { SceneElement } from '../../projection/scene.ts'
import { natural } from '../graph/layout.ts'
import { STATUS, StatusGlyph } from '../kit/status.tsx'
import styles from './Outline.module.css'
import { useSession, useSessionState } from './SessionContext.tsx'

interface Row {
  readonly element: SceneElement
  readonly level: number
  readonly children: number
  readonly open: boolean
}

function rowsOf(elements: ReadonlyMap<string, SceneElement>, closed: ReadonlySet<string>): Row[] {
  const children = new Map<string, SceneElement[]>()
  for (const element of elements.values()) {
    const parent = element.parent && elements.has(element.parent) ? element.parent : ''
    const list = children.get(parent)
    if (list) list.push(element)
    else children.set(parent, [element])
  }
  const rank = (e: SceneElement): number =>
    e.type === 'person' ? 0 : e.type === 'host' ? (e.role === 'control-plane' ? 1 : 2) : e.type === 'component' ? 3 : 4
  const rows: Row[] = []
  const visit = (parent: string, level: number): void => {
    for (const element of (children.get(parent) ?? []).sort((a, b) => rank(a) - rank(b) || natural(a.name, b.name))) {
      const count = children.get(element.id)?.length ?? 0
      const open = !closed.has(element.id)
      rows.push({ element, level, children: count, open })
      if (open) visit(element.id, level + 1)
    }
  }
  visit('', 1)
  return rows
}

const statusText = (e: SceneElement): string => (e.type === 'host' || e.type === 'pod' ? e.statusText : STATUS[e.status].word)
const kindText = (e: SceneElement): string => (e.type === 'host' ? e.role : e.type === 'person' ? '' : e.type)

export function Outline() {
  const session = useSession()
  const version = useSessionState((s) => s.sceneVersion)
  const selection = useSessionState((s) => s.selection)
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [focus, setFocus] = useState(0)
  const body = useRef<HTMLTableSectionElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the elements
  const rows = useMemo(() => rowsOf(session.store.getState().elements, closed), [version, closed, session])
  const at = Math.min(focus, rows.length - 1)

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to))
    setFocus(next)
    ;(body.current?.children[next] as HTMLElement | undefined)?.focus()
  }
  const toggle = (id: string, open: boolean): void => {
    const next = new Set(closed)
    if (open) next.delete(id)
    else next.add(id)
    setClosed(next)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[at]
    if (!row) return
    const actions: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (row.children > 0 && !row.open ? toggle(row.element.id, true) : move(at + 1)),
      ArrowLeft: () =>
        row.children > 0 && row.open ? toggle(row.element.id, false) : move(rows.findIndex((r) => r.element.id === row.element.parent)),
      Enter: () => session.select({ type: 'element', id: row.element.id }),
      ' ': () => session.select({ type: 'element', id: row.element.id }),
    }
    const action = actions[event.key]
    if (!action) return
    action()
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a treegrid is a table with a role
    <table className={styles.outline} role="treegrid" aria-label="Outline of the cluster" onKeyDown={onKeyDown}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Status</th>
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map(({ element, level, children, open }, i) => (
          <tr
            key={element.id}
            role="row"
            aria-level={level}
            aria-expanded={children > 0 ? open : undefined}
            aria-selected={selection?.type === 'element' && selection.id === element.id}
            tabIndex={i === at ? 0 : -1}
            onFocus={() => setFocus(i)}
            onClick={() => session.select({ type: 'element', id: element.id })}
            data-outline={element.id}
          >
            <td style={{ paddingLeft: 4 + level * 14 }}>
              {children > 0 ? (open ? '▾ ' : '▸ ') : '  '}
              <b>{element.name}</b> <span>{kindText(element)}</span>
              {element.lines.length > 0 ? <small> {element.lines.join(', ')}</small> : null}
            </td>
            <td>
              <StatusGlyph status={element.status} /> {statusText(element)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
