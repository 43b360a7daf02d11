// Manifest, objects, outline. The editor's weight loads when its tab is first shown.
import { Tabs } from 'radix-ui'
import { lazy, Suspense } from 'react'
import styles from './App.module.css'
import { Outline } from './Outline.tsx'

const ManifestPane = lazy(() => import('../editor/ManifestPane.tsx'))
const ObjectsPane = lazy(() => import('../objects/ObjectsPane.tsx'))

export function LeftPane() {
  return (
    <Tabs.Root defaultValue="manifest" style={{ display: 'contents' }}>
      <Tabs.List className={styles.tabs} aria-label="Left pane">
        {[
          ['manifest', 'Manifest'],
          ['objects', 'Objects'],
          ['outline', 'Outline'],
        ].map(([value, label]) => (
          <Tabs.Trigger key={value} value={value as string} className={styles.tab}>
            {label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value="manifest" style={{ flex: 1, minHeight: 0, display: 'flex', flexDirection: 'column' }} data-region="editor">
        <Suspense fallback={<p style={{ padding: 16 }}>Loading the editor …</p>}>
          <ManifestPane />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content value="objects" style={{ flex: 1, minHeight: 0, overflow: 'auto' }}>
        <Suspense fallback={null}>
          <ObjectsPane />
        </Suspense>
      </Tabs.Content>
      <Tabs.Content value="outline" style={{ flex: 1, minHeight: 0, overflow: 'auto' }}>
        <Outline />
      </Tabs.Content>
    </Tabs.Root>
  )
}
