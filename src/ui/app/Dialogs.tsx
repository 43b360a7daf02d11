// Dialogs behind the top bar; loaded when the first one is opened.
import { Command } from 'cmdk'
import { useEffect, useState } from 'react'
import { encodeLink } from '../../session/share.ts'
import { FRESH, linkTo } from '../../session/start.ts'
import { MAX_WORKERS } from '../../sim/cluster/spec.ts'
import type { ObjectRef } from '../../sim/api/types/object.ts'
import { Button } from '../kit/Button.tsx'
import { Dialog } from '../kit/Dialog.tsx'
import styles from './Dialogs.module.css'
import { SHORTCUTS } from './keyboard.ts'
import { loadPreferences, savePreferences } from './preferences.ts'
import { useSession } from './SessionContext.tsx'
import type { DialogName } from './TopBar.tsx'

/** Longer links break in mail and chat programs: a file is offered instead. */
const LONG_LINK = 8000

export default function Dialogs({ name, onClose }: { name: Exclude<DialogName, null>; onClose(): void }) {
  const props = { onClose }
  switch (name) {
    case 'share':
      return <Share {...props} />
    case 'help':
      return <Help {...props} />
    case 'search':
      return <SearchDialog {...props} />
    case 'cluster':
      return <ClusterDialog {...props} />
    case 'rename':
      return <RenameBranch {...props} />
  }
}

function Share({ onClose }: { onClose(): void }) {
  const session = useSession()
  const [link, setLink] = useState<string | null>(null)
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    void (async () => {
      const document = await session.client.request('document', {})
      const { trace } = await session.client.request('digest', {})
      setLink(linkTo(encodeLink(document, trace)))
    })()
  }, [session])
  const copy = async (): Promise<void> => {
    if (!link) return
    await navigator.clipboard.writeText(link)
    setCopied(true)
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Share this moment"
      description="The link holds the cluster, the seed, everything you did and this step. Whoever opens it gets the same run, message for message; nothing is uploaded."
    >
      {link === null ? (
        <p>Making the link …</p>
      ) : (
        <>
          <label className={styles.field}>
            Link ({link.length} characters)
            <textarea readOnly rows={4} value={link} onFocus={(e) => e.currentTarget.select()} data-testid="share-link" />
          </label>
          {link.length > LONG_LINK ? <p>This link is long; some programs cut it. Save it as a file instead.</p> : null}
          <div className={styles.buttons}>
            <Button kind="primary" onClick={() => void copy()}>
              {copied ? 'Copied' : 'Copy the link'}
            </Button>
            <a
              className={styles.download}
              href={`data:text/plain;charset=utf-8,${encodeURIComponent(link)}`}
              download="orrery-experiment.txt"
            >
              Save as a file
            </a>
          </div>
        </>
      )}
    </Dialog>
  )
}

function Help({ onClose }: { onClose(): void }) {
  const [motion, setMotion] = useState(loadPreferences().motion)
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Help and keys"
      description="Everything that moves really happened in a simulated Kubernetes v1.35 cluster. Apply a manifest, step through what follows, ask why, break things, go back and try something else."
    >
      <dl className={styles.keys}>
        {SHORTCUTS.map((s) => (
          <div key={s.keys}>
            <dt>
              {s.keys.split(' ').map((k, i) => (
                <span key={`${k}${i}`}>{k === 'or' ? ' or ' : <kbd>{k}</kbd>}</span>
              ))}
            </dt>
            <dd>{s.does}</dd>
          </div>
        ))}
      </dl>
      <label className={styles.field}>
        Motion
        <select
          value={motion}
          onChange={(e) => {
            const next = e.target.value as typeof motion
            setMotion(next)
            savePreferences({ ...loadPreferences(), motion: next })
          }}
        >
          <option value="system">as the system prefers</option>
          <option value="full">messages travel</option>
          <option value="reduced">no movement: numbered arrows</option>
        </select>
      </label>
    </Dialog>
  )
}

function SearchDialog({ onClose }: { onClose(): void }) {
  const session = useSession()
  const [text, setText] = useState('')
  const [found, setFound] = useState<readonly { ref: ObjectRef; label: string; detail: string }[]>([])
  useEffect(() => {
    let current = true
    void session.client.request('search', { text }).then((results) => {
      if (current) setFound(results)
    })
    return () => {
      current = false
    }
  }, [text, session])
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Search" description="By kind, name, label or status.">
      <Command shouldFilter={false} label="Search objects">
        <Command.Input className={styles.input} value={text} onValueChange={setText} placeholder="pod web, Pending, app=web …" autoFocus />
        <Command.List className={styles.list}>
          <Command.Empty className={styles.empty}>
            Nothing in the cluster matches “{text}”. Try a kind such as pod, or a status.
          </Command.Empty>
          {found.map((f) => (
            <Command.Item
              key={`${f.ref.kind}/${f.ref.namespace ?? ''}/${f.ref.name}`}
              value={`${f.ref.kind}/${f.ref.namespace ?? ''}/${f.ref.name}`}
              className={styles.result}
              onSelect={() => {
                session.select({ type: 'object', ref: f.ref })
                onClose()
              }}
            >
              <b>{f.label}</b> <span>{f.detail}</span>
            </Command.Item>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  )
}

function ClusterDialog({ onClose }: { onClose(): void }) {
  const session = useSession()
  const [spec, setSpec] = useState(session.store.getState().document.spec)
  const [seed, setSeed] = useState(session.store.getState().document.seed)
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Another cluster"
      description="The present experiment ends; keep a link to it if you want to come back."
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          onClose()
          void session.open({ ...FRESH, spec, seed })
        }}
      >
        <label className={styles.field}>
          Control-plane nodes
          <select value={spec.controlPlanes} onChange={(e) => setSpec({ ...spec, controlPlanes: Number(e.target.value) as 1 | 3 })}>
            <option value={1}>1</option>
            <option value={3}>3, stacked etcd</option>
          </select>
        </label>
        <label className={styles.field}>
          Workers (1–{MAX_WORKERS})
          <input
            type="number"
            required
            min={1}
            max={MAX_WORKERS}
            value={spec.workers}
            onChange={(e) => setSpec({ ...spec, workers: Number(e.target.value) })}
          />
        </label>
        <label className={styles.field}>
          CPU of a worker
          <input required pattern="[1-9][0-9]*" value={spec.workerCpu} onChange={(e) => setSpec({ ...spec, workerCpu: e.target.value })} />
        </label>
        <label className={styles.field}>
          Memory of a worker
          <input
            required
            pattern="[1-9][0-9]*Gi"
            value={spec.workerMemory}
            onChange={(e) => setSpec({ ...spec, workerMemory: e.target.value })}
          />
        </label>
        <label className={styles.field}>
          Seed: another number, other chances
          <input type="number" required min={0} max={2147483647} value={seed} onChange={(e) => setSeed(Number(e.target.value))} />
        </label>
        <div className={styles.buttons}>
          <Button kind="primary" type="submit">
            Build it
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function RenameBranch({ onClose }: { onClose(): void }) {
  const session = useSession()
  const current = session.store.getState().branches.find((b) => b.current)
  const [name, setName] = useState(current?.name ?? '')
  if (!current) return null
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Rename “${current.name}”`}
      description="A name says what this branch tries out."
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          onClose()
          void session.renameBranch(current.id, name.trim())
        }}
      >
        <label className={styles.field}>
          Name
          <input
            required
            maxLength={60}
            pattern=".*\S.*"
            value={name}
            onFocus={(e) => e.currentTarget.select()}
            onChange={(e) => setName(e.target.value)}
          />
        </label>
        <div className={styles.buttons}>
          <Button kind="primary" type="submit">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
