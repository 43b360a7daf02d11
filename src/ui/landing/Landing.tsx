// What a newcomer sees first: what this is, and one thing to do.
import { AnimatePresence, m, LazyMotion, domAnimation } from 'framer-motion'
import { useEffect, useState } from 'react'
import { EXAMPLES } from '../../scenarios/examples.ts'
import { draft } from '../../session/draft.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import styles from './Landing.module.css'

export function Landing() {
  const session = useSession()
  const phase = useSessionState((s) => s.phase)
  const untouched = useSessionState((s) => s.cursor === 0 && s.length === 0)
  const [dismissed, setDismissed] = useState(false)
  useEffect(() => {
    if (!untouched) setDismissed(true)
  }, [untouched])
  const begin = async (): Promise<void> => {
    setDismissed(true)
    const example = EXAMPLES[0]
    if (!example) return
    draft.setState({ text: example.yaml })
    const result = await session.command({ do: 'apply', yaml: example.yaml })
    if (result.ok) {
      await session.first()
      session.play()
    }
  }
  return (
    <LazyMotion features={domAnimation}>
      <AnimatePresence>
        {phase === 'opening' ? (
          <m.div key="opening" className={styles.opening} initial={{ opacity: 0 }} animate={{ opacity: 1 }} exit={{ opacity: 0 }} role="status">
            <span className={styles.orbit} aria-hidden="true" />
            kubeadm is setting up a cluster …
          </m.div>
        ) : phase === 'ready' && untouched && !dismissed ? (
          <m.section key="landing" className={styles.card} aria-label="Welcome" initial={{ opacity: 0, y: 10 }} animate={{ opacity: 1, y: 0 }} exit={{ opacity: 0, y: 10 }}>
            <h2>This is a whole Kubernetes cluster, running in your browser.</h2>
            <p>Nothing here is a script: every message really happens in a simulated v1.35 control plane. Send it a manifest, step through what follows, ask why, break it, rewind.</p>
            <div className={styles.actions}>
              <Button kind="primary" onClick={() => void begin()} data-testid="begin">
                Create an nginx Deployment and step through it
              </Button>
              <Button kind="quiet" onClick={() => setDismissed(true)}>
                Look around first
              </Button>
            </div>
          </m.section>
        ) : null}
      </AnimatePresence>
    </LazyMotion>
  )
}
