// Cluster, branch, clock, faults, search, share, looks, help.
import { ChevronDown, HelpCircle, Moon, Search, Share2, Sun, Zap } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { FRESH } from '../../session/start.ts'
import type { ClusterSpec } from '../../sim/cluster/spec.ts'
import { Button } from '../kit/Button.tsx'
import { Menu } from '../kit/Menu.tsx'
import { clock } from './format.ts'
import { FaultsMenu } from './FaultsMenu.tsx'
import { loadPreferences, savePreferences } from './preferences.ts'
import { useSession, useSessionState } from './SessionContext.tsx'
import styles from './App.module.css'

const Dialogs = lazy(() => import('./Dialogs.tsx'))

export type DialogName = 'share' | 'help' | 'search' | 'cluster' | 'rename' | null

const PRESETS: readonly { readonly label: string; readonly detail: string; readonly change: Partial<ClusterSpec> }[] = [
  { label: 'minimal · 1 + 1', detail: 'one control-plane node, one worker', change: { workers: 1 } },
  { label: 'classroom · 1 + 3', detail: 'what kubeadm init makes, and three workers', change: {} },
  { label: 'high availability · 3 + 3', detail: 'three control-plane nodes with an etcd member each', change: { controlPlanes: 3 } },
  { label: 'large · 1 + 20', detail: 'twenty workers', change: { workers: 20 } },
]

export function TopBar() {
  const session = useSession()
  const now = useSessionState((s) => s.now)
  const spec = useSessionState((s) => s.document.spec)
  const branches = useSessionState((s) => s.branches)
  const [dialog, setDialog] = useState<DialogName>(null)
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'dark')
  useEffect(() => {
    const search = (): void => setDialog('search')
    const help = (): void => setDialog('help')
    window.addEventListener('orrery:search', search)
    window.addEventListener('orrery:help', help)
    return () => {
      window.removeEventListener('orrery:search', search)
      window.removeEventListener('orrery:help', help)
    }
  }, [])
  const preset = PRESETS.find((p) => JSON.stringify({ ...FRESH.spec, ...p.change }) === JSON.stringify(spec))
  const current = branches.find((b) => b.current)
  const openSpec = (change: Partial<ClusterSpec>): void => void session.open({ ...FRESH, spec: { ...FRESH.spec, ...change } })
  return (
    <header className={styles.top}>
      <h1 className={styles.brand}>
        <svg width="26" height="22" viewBox="0 0 32 28" aria-hidden="true">
          <ellipse cx="16" cy="14" rx="14" ry="6" transform="rotate(-22 16 14)" fill="none" stroke="var(--blue)" strokeWidth="2" />
          <circle cx="16" cy="14" r="5" fill="var(--accent)" />
          <circle cx="28" cy="8.5" r="2.4" fill="var(--green)" />
        </svg>
        <span className={styles.brandName}>Orrery</span>
      </h1>
      <Menu
        label="Cluster"
        groups={[
          {
            title: 'Start over with',
            items: PRESETS.map((p) => ({
              id: p.label,
              label: p.label,
              detail: p.detail,
              checked: p === preset,
              onSelect: () => openSpec(p.change),
            })),
          },
          { items: [{ id: 'custom', label: 'Other sizes …', onSelect: () => setDialog('cluster') }] },
        ]}
        trigger={
          <Button title="Choose a cluster" aria-label={`Cluster ${preset?.label ?? `${spec.controlPlanes} + ${spec.workers}`}`}>
            <span className={styles.roomy}>Cluster</span> <b>{preset?.label ?? `${spec.controlPlanes} + ${spec.workers}`}</b>{' '}
            <ChevronDown size={14} />
          </Button>
        }
      />
      <Menu
        label="Branch"
        groups={[
          {
            title: 'Acting in the past starts a branch; the old future stays on its own',
            items: branches.map((b) => ({
              id: String(b.id),
              label: b.name,
              detail:
                b.parent === undefined
                  ? `${b.length} steps`
                  : `left ${branches.find((p) => p.id === b.parent)?.name ?? 'its parent'} at step ${b.forkedAt}; ${b.length} steps`,
              checked: b.current,
              onSelect: () => void session.switchBranch(b.id),
            })),
          },
          ...(current
            ? [
                {
                  items: [
                    {
                      id: 'rename',
                      label: `Rename “${current.name}” …`,
                      onSelect: () => setDialog('rename'),
                    },
                  ],
                },
              ]
            : []),
        ]}
        trigger={
          <Button title="Branches of this experiment" aria-label={`Branch ${current?.name ?? 'main'}`}>
            <span className={styles.roomy}>Branch</span> <b>{current?.name ?? 'main'}</b> <ChevronDown size={14} />
          </Button>
        }
      />
      <span className={styles.spacer} />
      <span className={styles.clock} role="timer" aria-label="Virtual clock" data-testid="clock">
        t + {clock(now)}
      </span>
      <FaultsMenu
        trigger={
          <Button aria-label="Break something">
            <Zap size={15} /> <span className={styles.wide}>Break something</span>
          </Button>
        }
      />
      <Button shortcut="/" title="Search" aria-label="Search" onClick={() => setDialog('search')}>
        <Search size={15} /> <span className={styles.wide}>Search</span>
      </Button>
      <Button kind="primary" aria-label="Share this moment" onClick={() => setDialog('share')}>
        <Share2 size={15} />{' '}
        <span className={styles.wide}>
          Share<span className={styles.roomy}> this moment</span>
        </span>
      </Button>
      <Button
        label={theme === 'dark' ? 'Light colours' : 'Dark colours'}
        onClick={() => {
          const next = theme === 'dark' ? 'light' : 'dark'
          savePreferences({ ...loadPreferences(), theme: next })
          setTheme(next)
        }}
      >
        {theme === 'dark' ? <Sun size={16} /> : <Moon size={16} />}
      </Button>
      <Button label="Help and keys" shortcut="?" onClick={() => setDialog('help')}>
        <HelpCircle size={16} />
      </Button>
      {dialog ? (
        <Suspense fallback={null}>
          <Dialogs name={dialog} onClose={() => setDialog(null)} />
        </Suspense>
      ) : null}
    </header>
  )
}
