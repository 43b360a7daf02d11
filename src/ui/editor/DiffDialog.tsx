// What applying would change: the live object beside the one the server answered to a dry run.
import type { DocumentDiff } from '../../protocol/messages.ts'
import { Button } from '../kit/Button.tsx'
import { DiffText } from '../kit/DiffText.tsx'
import { Dialog } from '../kit/Dialog.tsx'
import styles from './ManifestPane.module.css'

export default function DiffDialog({
  documents,
  onClose,
  onApply,
}: {
  documents: readonly DocumentDiff[]
  onClose(): void
  onApply(): void
}) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      wide
      title="What would change"
      description="The API server was asked with a dry run: nothing has been stored."
    >
      {documents.map((d) => (
        <section key={d.document} aria-label={d.text}>
          <h3>{d.text}</h3>
          {d.outcome === 'rejected' || d.outcome === 'unchanged' ? null : <DiffText before={d.before} after={d.after} />}
        </section>
      ))}
      <div className={styles.bar}>
        <span className={styles.verdict} />
        <Button onClick={onClose}>Close</Button>
        <Button kind="primary" onClick={onApply}>
          Apply
        </Button>
      </div>
    </Dialog>
  )
}
