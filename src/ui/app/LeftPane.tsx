// Manifest, objects, traffic, outline. The editor's weight loads when its tab is first shown.
import { Tabs } from 'radix-ui'
import { lazy, Suspense } from 'react'
import { useStore } from 'zustand'
import styles from './App.module.css'
import { type LeftTab, leftTab } from './left-tab.ts'
import { Outline } from './Outline.tsx'

const ManifestPane = lazy(() => import('../editor/ManifestPane.tsx'))
const ObjectsPane = lazy(() => import('../objects/ObjectsPane.tsx'))
const TrafficPane = lazy(() => import('../traffic/TrafficPane.tsx'))

const LABELS: readonly (readonly [LeftTab, string])[] = [
  ['manifest', 'Manifest'],
  ['objects', 'Objects'],
  ['traffic', 'Traffic'],
  ['outline', 'Outline'],
]

export function LeftPane() {
  const tab = useStore(leftTab, (s) => s.tab)
  return (
    <Tabs.Root value={tab} onValueChange={(value) => leftTab.setState({ tab: value as LeftTab })} className={styles.leftTabs}>
      <Tabs.List className={styles.tabs} aria-label="Left pane">
        {LABELS.map(([value, label]) => (
          <Tabs.Trigger key={value} value={value} className={styles.tab}>
            {label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value="manifest" className={styles.tabFixed} data-region="editor">
        <Suspense fallback={<p className={styles.wait}>Loading the editor …</p>}>
          <ManifestPane />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content value="objects" className={styles.tabScroll} data-region="editor">
        <Suspense fallback={null}>
          <ObjectsPane />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content value="traffic" className={styles.tabScroll} data-region="editor">
        <Suspense fallback={null}>
          <TrafficPane />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content value="outline" className={styles.tabScroll} data-region="editor">
        <Outline />
      </Tabs.Content>
    </Tabs.Root>
  )
}
