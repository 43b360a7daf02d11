// The parts of the picture: machines, components, pods, people. Each subscribes to its own element only.
import { Handle, Position } from '@xyflow/react'
import { memo } from 'react'
import type { SceneElement, Status, ComponentElement, HostElement, PersonElement, PodElement } from '../../projection/scene.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { STATUS } from '../kit/status.tsx'
import styles from './Graph.module.css'
import { useGraph } from './GraphContext.ts'
import type { PodDensity, Rect } from './layout.ts'

/** Classes that say: takes part in this step, is selected, has the keyboard. */
function useMarks(id: string): string {
  const active = useSessionState((s) => s.active.has(id))
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
  const hidden = useGraph((g) => g.layout.hidden.get(name(id)) ?? 0)
  const mode = useGraph((g) => g.layout.density.get(name(id)))
  if (!host) return null
  const control = host.role === 'control-plane'
  const crowd =
    hidden > 0 ? `${host.podCount} pods, ${hidden} not drawn` : mode === 'dot' ? `${host.podCount} pods` : control ? host.ip : ''
  return (
    <div className={`${styles.host} ${control ? styles.control : ''} ${marks}`} data-status={host.status} data-element={id}>
      <button type="button" tabIndex={-1} className={styles.header} onClick={() => session.select({ type: 'element', id })}>
        <b>{host.name}</b>
        {crowd ? <span className={styles.where}>{crowd}</span> : null}
        <span className={styles.state} style={{ color: `var(--status-${host.status})` }}>
          {STATUS[host.status].glyph} {host.statusText}
        </span>
      </button>
      <Parts host={id} origin={origin} />
      <FarSummary host={id} />
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

const name = (id: string): string => id.slice('host:'.length)

/** From far away: how many pods in which state, in large type. */
function FarSummary({ host }: { host: string }) {
  const far = useGraph((g) => g.far)
  const inside = useGraph((g) => g.layout.inside.get(host))
  const text = useSessionState((s) => (far ? countByStatus(inside ?? [], s.elements) : ''))
  return text ? <span className={styles.summary}>{text}</span> : null
}

export function countByStatus(ids: readonly string[], elements: ReadonlyMap<string, SceneElement>): string {
  const counts = new Map<Status, number>()
  for (const id of ids) {
    const element = elements.get(id)
    if (element?.type === 'pod') counts.set(element.status, (counts.get(element.status) ?? 0) + 1)
  }
  if (counts.size === 0) return 'no pods'
  return [...counts].map(([status, n]) => `${STATUS[status].glyph} ${n} ${STATUS[status].word}`).join('\n')
}

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
  const mode = density.get(name(host)) ?? 'card'
  return (
    <>
      {(inside.get(host) ?? []).map((id) => {
        const rect = rects.get(id)
        if (!rect) return null
        return id.startsWith('pod:') ? (
          <Pod key={id} id={id} rect={rect} origin={origin} density={mode} />
        ) : (
          <Component key={id} id={id} rect={rect} origin={origin} />
        )
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
      title={chip && element.status !== 'ready' ? `${element.name}: ${STATUS[element.status].word}` : undefined}
      onClick={() => session.select({ type: 'element', id })}
    >
      <b>
        {element.status === 'ready' ? '' : `${STATUS[element.status].glyph}${chip ? '' : ' '}`}
        {element.name}
      </b>
      {chip
        ? null
        : (bars.length > 0 ? element.lines.slice(0, 1) : element.lines).map((line) => (
            <span key={line} className={styles.lines}>
              {line}
            </span>
          ))}
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
          {bars
            .slice(0, 3)
            .map((p) => [
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
          <b>{shorten(pod.name, Math.floor((rect.width - 16) / 7.6))}</b>
          <span className={styles.status} style={{ color: colour }}>
            {glyph} {shortStatus(pod.statusText)}
          </span>
        </>
      ) : density === 'small' ? (
        <>
          <span style={{ color: colour }}>{glyph}</span>
          <b>{shorten(pod.name, 12)}</b>
        </>
      ) : (
        <span style={{ color: colour }}>{glyph}</span>
      )}
    </button>
  )
})

/** kubectl's long words cut to what tells them apart; the tooltip and the inspector have them whole. */
const SHORT: Readonly<Record<string, string>> = {
  ContainerCreating: 'Creating',
  PodInitializing: 'Initializing',
  CrashLoopBackOff: 'CrashLoop',
  ImagePullBackOff: 'ImagePull',
  CreateContainerConfigError: 'ConfigError',
  RunContainerError: 'RunError',
}
const shortStatus = (text: string): string => (Object.hasOwn(SHORT, text) ? (SHORT[text] as string) : text)

/** `web-5d8f7c9b4-k2x4p` → `web …k2x4p`: the workload and what tells its pods apart. */
export function shorten(name: string, limit: number): string {
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
    <button
      type="button"
      tabIndex={-1}
      className={`${styles.person} ${marks}`}
      data-element={id}
      onClick={() => session.select({ type: 'element', id })}
    >
      <b>{person.name}</b>
      {person.lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </button>
  )
})
