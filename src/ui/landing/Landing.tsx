// What a newcomer sees first: what this is, and one thing to do.
import { AnimatePresence, domAnimation, LazyMotion, m } from 'framer-motion'
import { useEffect, useState } from 'react'
import { EXAMPLES } from '../../scenarios/examples.ts'
import { draft } from '../../session/draft.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import styles from './Landing.module.css'

export function useWelcome(): { welcome: boolean; dismiss(): void } {
  const ready = useSessionState((s) => s.phase === 'ready')
  const untouched = useSessionState((s) => s.cursor === 0 && s.length === 0)
  const [dismissed, setDismissed] = useState(false)
  useEffect(() => {
    if (!untouched) setDismissed(true)
  }, [untouched])
  return { welcome: ready && untouched && !dismissed, dismiss: () => setDismissed(true) }
}

export function Opening() {
  const opening = useSessionState((s) => s.phase === 'opening')
  return (
    <LazyMotion features={domAnimation}>
      <AnimatePresence>
        {opening ? (
          <m.div key="opening" className={styles.opening} exit={{ opacity: 0 }} role="status">
            <span className={styles.orbit} aria-hidden="true" />
            kubeadm is setting up a cluster …
          </m.div>
        ) : null}
      </AnimatePresence>
    </LazyMotion>
  )
}

export function Welcome({ onDismiss }: { onDismiss(): void }) {
  const session = useSession()
  const begin = async (): Promise<void> => {
    const example = EXAMPLES[0]
    if (!example) return
    draft.setState({ text: example.yaml })
    await session.command({ do: 'apply', yaml: example.yaml }, { thenPlay: true })
  }
  return (
    <section className={styles.card} aria-label="Welcome">
      <div>
        <h2>This is a whole Kubernetes cluster, running in your browser.</h2>
        <p>
          Nothing is a script: every message really happens in a simulated v1.35 cluster. Send it a manifest, step through what follows, ask
          why, break it, rewind.
        </p>
      </div>
      <div className={styles.actions}>
        <Button kind="primary" onClick={() => void begin()} data-testid="begin">
          Create an nginx Deployment and step through it
        </Button>
        <Button kind="quiet" onClick={onDismiss}>
          Look around first
        </Button>
      </div>
    </section>
  )
}
