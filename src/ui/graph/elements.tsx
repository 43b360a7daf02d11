// The parts of the picture: machines, components, pods, people. Each subscribes to its own element only.
import { Handle, Position } from '@xyflow/react'
import { memo } from 'react'
import type { ComponentElement, HostElement, PersonElement, PodElement } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { STATUS } from '../kit/status.tsx'
import styles from './Graph.module.css'
import { useGraph } from './GraphContext.ts'
import type { PodDensity, Rect } from './layout.ts'

/** Classes that say: takes part in this step, is selected, has the keyboard. */
function useMarks(id: string): string {
  const active = useSessionState((s) => s.caption?.actorElement === id || s.flights.some((f) => f.from === id || f.to === id))
  const selected = useSessionState((s) => s.selection?.type === 'element' && s.selection.id === id)
  const focused = useGraph((g) => g.focus === id)
  return [active && styles.active, selected && styles.selected, focused && styles.focused].filter(Boolean).join(' ')
}

const at = (rect: Rect, origin: Rect): { left: number; top: number; width: number; height: number } => ({
  left: rect.x - origin.x,
  top: rect.y - origin.y,
  width: rect.width,
  height: rect.height,
})

export function Ports() {
  return (
    <>
      <Handle type="source" position={Position.Bottom} className={styles.handle} isConnectable={false} />
      <Handle type="target" position={Position.Top} className={styles.handle} isConnectable={false} />
    </>
  )
}

export const Host = memo(function Host({ id, origin }: { id: string; origin: Rect }) {
  const host = useSessionState((s) => s.elements.get(id)) as HostElement | undefined
  const session = useSession()
  const marks = useMarks(id)
  if (!host) return null
  const control = host.role === 'control-plane'
  return (
    <div className={`${styles.host} ${control ? styles.control : ''} ${marks}`} data-status={host.status} data-element={id}>
      <button type="button" tabIndex={-1} className={styles.header} onClick={() => session.select({ type: 'element', id })}>
        <b>{host.name}</b>
        {control ? <span className={styles.where}>{host.ip}</span> : null}
        <span className={styles.state} style={{ color: `var(--status-${host.status})` }}>
          {STATUS[host.status].glyph} {host.statusText}
        </span>
      </button>
      <Parts host={id} origin={origin} />
      {control ? null : (
        <div className={styles.meters}>
          <span>
            cpu {round(host.cpu.used)} of {round(host.cpu.total)}
          </span>
          <Track share={host.cpu.used / host.cpu.total} />
          <span>
            mem {round(host.memory.used / 2 ** 30)} of {round(host.memory.total / 2 ** 30)} Gi
          </span>
          <Track share={host.memory.used / host.memory.total} />
        </div>
      )}
    </div>
  )
})

const round = (n: number): string => String(Math.round(n * 10) / 10)

function Track({ share, best }: { share: number; best?: boolean }) {
  return (
    <span className={styles.track}>
      <span className={styles.fill} data-best={best} style={{ display: 'block', width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
    </span>
  )
}

/** Components and pods inside a machine, or the pods of the waiting tray (host ''). */
export function Parts({ host, origin }: { host: string; origin: Rect }) {
  const { inside, rects, density } = useGraph((g) => g.layout)
  const mode = density.get(host.slice('host:'.length)) ?? 'card'
  return (
    <>
      {(inside.get(host) ?? []).map((id) => {
        const rect = rects.get(id)
        if (!rect) return null
        return id.startsWith('pod:') ? <Pod key={id} id={id} rect={rect} origin={origin} density={mode} /> : <Component key={id} id={id} rect={rect} origin={origin} />
      })}
    </>
  )
}

export const Component = memo(function Component({ id, rect, origin }: { id: string; rect: Rect; origin: Rect }) {
  const element = useSessionState((s) => s.elements.get(id)) as ComponentElement | undefined
  const session = useSession()
  const marks = useMarks(id)
  if (!element) return null
  const chip = rect.height < 60
  const bar = element.component === 'kube-apiserver'
  const bars = element.parts.filter((p) => p.value !== undefined)
  const best = Math.max(0, ...bars.map((p) => p.value ?? 0))
  return (
    <button
      type="button"
      tabIndex={-1}
      className={`${styles.component} ${chip ? styles.chip : ''} ${bar ? styles.bar : ''} ${marks}`}
      style={at(rect, origin)}
      data-status={element.status}
      data-element={id}
      onClick={() => session.select({ type: 'element', id })}
    >
      <b>
        {element.status === 'ready' ? '' : `${STATUS[element.status].glyph} `}
        {element.name}
      </b>
      {chip ? null : element.lines.map((line) => <span key={line} className={styles.lines}>{line}</span>)}
      {bar ? (
        <span className={styles.stages}>
          {element.parts.map((p) => (
            <span key={p.name} className={styles.stage} data-state={p.state}>
              {p.name}
              {p.state === 'done' ? ' ✓' : p.state === 'failed' ? ' ✕' : p.state === 'busy' ? ' …' : ''}
            </span>
          ))}
        </span>
      ) : bars.length > 0 && !chip ? (
        <span className={styles.bars}>
          {bars.slice(0, 3).map((p) => [
            <span key={p.name}>{p.name}</span>,
            <Track key={`${p.name}-bar`} share={best === 0 ? 0 : (p.value ?? 0) / best} best={p.value === best} />,
          ])}
        </span>
      ) : chip ? null : (
        <span className={styles.parts}>
          {element.parts.slice(0, 10).map((p) => (
            <span key={p.name} data-state={p.state}>
              {p.name} {p.state === 'busy' ? '…' : p.state === 'failed' ? '✕' : '✓'}
            </span>
          ))}
        </span>
      )}
    </button>
  )
})

export const Pod = memo(function Pod({ id, rect, origin, density }: { id: string; rect: Rect; origin: Rect; density: PodDensity }) {
  const pod = useSessionState((s) => s.elements.get(id)) as PodElement | undefined
  const session = useSession()
  const marks = useMarks(id)
  if (!pod) return null
  const { glyph, border } = STATUS[pod.status]
  const colour = `var(--status-${pod.status})`
  return (
    <button
      type="button"
      tabIndex={-1}
      className={`${styles.pod} ${pod.system ? styles.system : ''} ${marks}`}
      style={{ ...at(rect, origin), borderStyle: border, borderColor: colour }}
      data-density={density}
      data-element={id}
      title={`${pod.name}: ${pod.statusText}, ${pod.ready} ready`}
      onClick={() => session.select({ type: 'element', id })}
    >
      {density === 'card' ? (
        <>
          <b>{shorten(pod.name)}</b>
          <span className={styles.status} style={{ color: colour }}>
            {glyph} {pod.statusText}
          </span>
        </>
      ) : density === 'small' ? (
        <>
          <span style={{ color: colour }}>{glyph}</span>
          <b>{shorten(pod.name, 8)}</b>
        </>
      ) : (
        <span style={{ color: colour }}>{glyph}</span>
      )}
    </button>
  )
})

/** `web-5d8f7c9b4-k2x4p` → `web …k2x4p`: the workload and what tells its pods apart. */
export function shorten(name: string, limit = 13): string {
  if (name.length <= limit) return name
  const parts = name.split('-')
  const tail = (parts[parts.length - 1] as string).slice(-5)
  const head = name.slice(0, Math.max(2, limit - tail.length - 2))
  return `${(parts[0] as string).length < head.length ? (parts[0] as string) : head} …${tail}`
}

export const Person = memo(function Person({ id }: { id: string }) {
  const person = useSessionState((s) => s.elements.get(id)) as PersonElement | undefined
  const session = useSession()
  const marks = useMarks(id)
  if (!person) return null
  return (
    <button type="button" tabIndex={-1} className={`${styles.person} ${marks}`} data-element={id} onClick={() => session.select({ type: 'element', id })}>
      <b>{person.name}</b>
      {person.lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </button>
  )
})
