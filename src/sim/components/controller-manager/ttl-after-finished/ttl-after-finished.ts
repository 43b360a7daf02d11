// pkg/controller/ttlafterfinished: finished Jobs go when their time is over.
import type { KubeObject } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'
import { decided, get, isNotFound, must, remove, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

/** A longer wait keeps no cluster from being quiet. */
const PATIENT_MS = 60_000

/** Virtual ms at which the Job may go. */
function expiresAt(job: KubeObject): number | undefined {
  const ttl: number | undefined = job.spec?.ttlSecondsAfterFinished
  const done = ((job.status?.conditions ?? []) as { type: string; status: string; lastTransitionTime?: string }[]).find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  )
  const at = parseApiTime(done?.lastTransitionTime)
  return ttl === undefined || at === undefined || job.metadata.deletionTimestamp ? undefined : at + ttl * 1000
}

export const ttlAfterFinishedController: Controller<KubeObject> = {
  name: 'ttl-after-finished-controller',
  controller: 'ttl-after-finished-controller',
  serviceAccount: 'ttl-after-finished-controller',
  workers: 5,
  subject: 'jobs',
  informers: ['jobs'],
  on: {
    jobs(rt, { type, key, object }) {
      const at = type === 'DELETED' ? undefined : expiresAt(object)
      if (at !== undefined) rt.addAfter(key, Math.max(0, at - rt.now), { periodic: at - rt.now > PATIENT_MS })
    },
  },
  observe: (key, rt) => rt.get('jobs', key),
  *reconcile(job, env): Steps<Outcome | void> {
    const left = (o: KubeObject): number | undefined => {
      const at = expiresAt(o)
      return at === undefined ? undefined : at - env.now
    }
    const wait = left(job)
    if (wait === undefined) return
    if (wait > 0) return { requeueAfterMs: wait, periodic: wait > PATIENT_MS }
    const { namespace, name = '' } = job.metadata
    const answer = yield* get('jobs', namespace, name)
    if (isNotFound(answer)) return
    const fresh = must(answer)
    const again = left(fresh)
    if (again === undefined) return
    if (again > 0) return { requeueAfterMs: again, periodic: again > PATIENT_MS }
    yield* decided('delete the finished job', { ttlSeconds: fresh.spec.ttlSecondsAfterFinished })
    const removed = yield* remove('jobs', namespace, name, {
      propagationPolicy: 'Foreground',
      preconditions: { uid: fresh.metadata.uid ?? '' },
    })
    if (!removed.ok && !isNotFound(removed)) throw new SyncError(removed.message)
  },
}
