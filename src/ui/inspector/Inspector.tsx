// Anything clicked, explained: an element of the picture, an object, or a moment (why?). Sections come as data from the projection.
import { Tabs } from 'radix-ui'
import { useEffect, useState } from 'react'
import { Zap } from 'lucide-react'
import type { Caption } from '../../projection/scene.ts'
import type { InspectorView } from '../../projection/inspect.ts'
import { FaultsMenu, faultsFor } from '../app/FaultsMenu.tsx'
import { clock } from '../app/format.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { objectOf } from '../graph/ContextMenu.tsx'
import { Blocks } from './Blocks.tsx'
import styles from './Inspector.module.css'
import { ObjectActions } from './ObjectActions.tsx'
import { ReadingGuide } from './ReadingGuide.tsx'

export default function Inspector() {
  const selection = useSessionState((s) => s.selection)
  const ready = useSessionState((s) => s.phase === 'ready')
  if (!ready) return null
  if (selection?.type === 'record') return <Why record={selection.record} />
  if (selection) return <Selected />
  return <Now />
}

/** Nothing selected: the component that acts in this step, so that the pane is never empty. */
function Now() {
  const actor = useSessionState((s) => s.caption?.actorElement)
  return actor ? <View element={actor} hint="Acts in this step. Click anything in the picture to look inside." /> : <ReadingGuide />
}

function Selected() {
  const selection = useSessionState((s) => s.selection)
  if (selection?.type === 'element') return <View key={selection.id} element={selection.id} />
  if (selection?.type === 'object')
    return <View key={`${selection.ref.kind}/${selection.ref.namespace}/${selection.ref.name}`} object={selection.ref} />
  return null
}

type Target = { element: string; object?: undefined } | { element?: undefined; object: NonNullable<Caption['subject']> }

function View({ hint, ...target }: Target & { hint?: string }) {
  const session = useSession()
  const step = useSessionState((s) => s.step)
  const [view, setView] = useState<InspectorView | null | undefined>(undefined)
  const [tab, setTab] = useState<string | undefined>(undefined)
  const key = target.element ?? JSON.stringify(target.object)
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the target; every step may change what is shown
  useEffect(() => {
    let current = true
    void session.client.request('inspect', target.element !== undefined ? { element: target.element } : { ref: target.object }).then(
      (v) => current && setView(v),
      () => current && setView(null),
    )
    return () => {
      current = false
    }
  }, [key, step, session])
  const element = useSessionState((s) => (target.element ? s.elements.get(target.element) : undefined))
  if (view === undefined) return null
  if (view === null)
    return <p className={styles.empty}>It does not exist at this moment. Step back to when it did, or forward until it appears.</p>
  const object = target.object ?? (element?.type === 'pod' ? objectOf(element) : undefined)
  const active = view.tabs.some((t) => t.id === tab) ? tab : view.tabs[0]?.id
  const breakable = element ? faultsFor(element, session.store.getState().elements).length > 0 : false
  return (
    <Tabs.Root value={active} onValueChange={setTab} className={styles.inspector}>
      <Tabs.List className={styles.tabs} aria-label={`Views of ${view.title}`}>
        {view.tabs.map((t) => (
          <Tabs.Trigger key={t.id} value={t.id} className={styles.tab}>
            {t.label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <div className={styles.scroll}>
        <header className={styles.head}>
          <h2>{view.title}</h2>
          {view.badges.map((b) => (
            <span key={b.text} className={styles.badge} data-tone={b.tone}>
              {b.text}
            </span>
          ))}
          <span className={styles.kind}>{view.kind}</span>
        </header>
        {hint ? <p className={styles.hint}>{hint}</p> : null}
        {active === view.tabs[0]?.id ? (
          <p className={styles.about}>
            {view.about}{' '}
            <a href={view.concept.url} target="_blank" rel="noreferrer noopener">
              {view.concept.label}
            </a>
          </p>
        ) : null}
        <div className={styles.actions}>
          {element && breakable ? (
            <FaultsMenu
              element={element}
              trigger={
                <Button>
                  <Zap size={14} /> What if …
                </Button>
              }
            />
          ) : null}
          {object && active === view.tabs[0]?.id ? <ObjectActions target={object} /> : null}
        </div>
        {view.tabs.map((t) => (
          <Tabs.Content key={t.id} value={t.id}>
            <Blocks blocks={t.blocks} />
          </Tabs.Content>
        ))}
      </div>
    </Tabs.Root>
  )
}

/** The chain of causes, newest first, back to what the visitor did. */
function Why({ record }: { record: number }) {
  const session = useSession()
  const [chain, setChain] = useState<readonly Caption[] | null>(null)
  useEffect(() => {
    let current = true
    void session.client.request('why', { record }).then((w) => current && setChain(w.chain))
    return () => {
      current = false
    }
  }, [record, session])
  if (!chain) return null
  return (
    <div className={styles.inspector}>
      <div className={styles.scroll}>
        <header className={styles.head}>
          <h2>Why?</h2>
          <span className={styles.kind}>{chain.length} links</span>
        </header>
        <p className={styles.hint}>Each line was caused by the one below it. Click one to go to that moment.</p>
        <ol className={styles.chain} data-testid="why">
          {chain.map((c) => (
            <li key={c.record}>
              <button type="button" onClick={() => void session.seek({ record: c.record })}>
                <small>
                  {c.actor} · t + {clock(c.at)}
                </small>
                <b>{c.title}</b>
                {c.because ? <span>{c.because}</span> : null}
              </button>
            </li>
          ))}
        </ol>
      </div>
    </div>
  )
}
