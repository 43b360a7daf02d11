// The shell: top bar, three panes, transport and timeline below. Panes are lazy where they are heavy.
import { lazy, Suspense, useEffect, useState } from 'react'
import { Panel, PanelGroup, PanelResizeHandle } from 'react-resizable-panels'
import { CaptionBar } from '../transport/CaptionBar.tsx'
import { Timeline } from '../transport/Timeline.tsx'
import { Transport } from '../transport/Transport.tsx'
import { Boundary } from '../kit/Boundary.tsx'
import { Button } from '../kit/Button.tsx'
import { Graph } from '../graph/Graph.tsx'
import { Announcer } from './Announcer.tsx'
import { LeftPane } from './LeftPane.tsx'
import { useSession, useSessionState } from './SessionContext.tsx'
import { TopBar } from './TopBar.tsx'
import { leftTab } from './left-tab.ts'
import { useKeyboard } from './keyboard.ts'
import { useLayoutMode } from './layout-mode.ts'
import { Opening, useWelcome, Welcome } from '../landing/Landing.tsx'
import styles from './App.module.css'

const Inspector = lazy(() => import('../inspector/Inspector.tsx'))

export function App() {
  useKeyboard()
  const mode = useLayoutMode()
  return (
    <div className={styles.app}>
      <a className={styles.skip} href="#picture">
        Skip to the picture
      </a>
      <TopBar />
      <Announcer />
      <div className={styles.body}>
        {mode === 'one' ? <OnePane /> : <Panes three={mode === 'three'} />}
        <footer className={styles.bottom}>
          <Transport />
          <div className={styles.timeline}>
            <Timeline />
          </div>
        </footer>
      </div>
    </div>
  )
}

function Panes({ three }: { three: boolean }) {
  const selected = useSessionState((s) => s.selection !== null)
  const showInspector = three || selected
  return (
    <PanelGroup direction="horizontal" autoSaveId={three ? 'panes-3' : 'panes-2'}>
      <Panel id="left" order={1} defaultSize={three ? 24 : 34} minSize={16} className={styles.panel}>
        <Boundary what="This pane">
          <LeftPane />
        </Boundary>
      </Panel>
      <PanelResizeHandle className={styles.splitter} aria-label="Width of the left pane" />
      <Panel id="stage" order={2} minSize={30}>
        <Stage />
      </Panel>
      {showInspector ? (
        <>
          <PanelResizeHandle className={styles.splitter} aria-label="Width of the inspector" />
          <Panel id="inspector" order={3} defaultSize={three ? 25 : 36} minSize={18} className={styles.panel}>
            <InspectorPane />
          </Panel>
        </>
      ) : null}
    </PanelGroup>
  )
}

function InspectorPane() {
  return (
    <aside className={styles.panel} aria-label="Inspector" data-region="inspector" id="inspector">
      <Boundary what="The inspector">
        <Suspense fallback={null}>
          <Inspector />
        </Suspense>
      </Boundary>
    </aside>
  )
}

function Stage() {
  return (
    <main className={styles.stage} id="picture">
      <div className={styles.picture}>
        <Boundary what="The picture">
          <Graph />
        </Boundary>
        <Opening />
        <ErrorBanner />
      </div>
      <Below />
    </main>
  )
}

/** The welcome stands where the captions will be: one thing to read at a time. */
function Below() {
  const { welcome, dismiss } = useWelcome()
  return welcome ? <Welcome onDismiss={dismiss} /> : <CaptionBar />
}

function OnePane() {
  const [view, setView] = useState<'edit' | 'picture' | 'details'>('picture')
  const selection = useSessionState((s) => s.selection)
  useEffect(() => {
    if (selection) setView('details')
  }, [selection])
  // Something else on the page asked for a tab of the workbench.
  useEffect(() => leftTab.subscribe(() => setView('edit')), [])
  return (
    <div className={styles.onePane}>
      <nav className={styles.mobileTabs} aria-label="Views">
        {(['edit', 'picture', 'details'] as const).map((v) => (
          <Button key={v} kind="quiet" pressed={view === v} onClick={() => setView(v)}>
            {v === 'edit' ? 'Workbench' : v === 'picture' ? 'Picture' : 'Details'}
          </Button>
        ))}
      </nav>
      {view === 'edit' ? (
        <div className={styles.panel}>
          <Boundary what="This pane">
            <LeftPane />
          </Boundary>
        </div>
      ) : view === 'picture' ? (
        <Stage />
      ) : (
        <InspectorPane />
      )}
    </div>
  )
}

function ErrorBanner() {
  const error = useSessionState((s) => s.error)
  const session = useSession()
  if (!error) return null
  return (
    <div className={styles.error} role="alert">
      <span>{error.message}</span>
      {error.report ? <Button onClick={() => void navigator.clipboard?.writeText(error.report ?? '')}>Copy crash report</Button> : null}
      <Button onClick={() => session.store.setState({ error: null })}>Dismiss</Button>
    </div>
  )
}
