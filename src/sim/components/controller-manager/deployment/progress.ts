// progress.go: conditions of a rollout under way.
import { deepEqual } from '../../../../lib/compare.ts'
import type { DeploymentCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { effect, must, updateStatus } from '../runtime/steps.ts'
import type { Env, Outcome, Steps } from '../runtime/types.ts'
import { keyOf } from '../runtime/objects.ts'
import { REASON } from './constants.ts'
import { all, type Sets } from './sync.ts'
import {
  calculateStatus,
  deadlineAt,
  getCondition,
  hasProgressDeadline,
  isComplete,
  isProgressing,
  isTimedOut,
  newCondition,
  removeCondition,
  setCondition,
} from './util.ts'

/** syncRolloutStatus. */
export function* syncRolloutStatus(synced: Sets, env: Env): Steps<Outcome | void> {
  const { deployment: d, newSet } = synced
  const sets = all(synced)
  let status = calculateStatus(d, sets, newSet, env.now)
  if (!hasProgressDeadline(d)) status = removeCondition(status, 'Progressing')
  const current = getCondition(d.status, 'Progressing')
  const finished = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === REASON.newAvailable
  const subject = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${d.metadata.name}"`
  if (hasProgressDeadline(d) && !finished) {
    if (isComplete(d, status))
      status = setCondition(
        status,
        newCondition('Progressing', 'True', REASON.newAvailable, `${subject} has successfully progressed.`, env.now),
      )
    else if (isProgressing(d, status)) {
      const next = newCondition('Progressing', 'True', REASON.replicaSetUpdated, `${subject} is progressing.`, env.now)
      // The time of the last progress moves even if nothing else of the condition does.
      const kept =
        current?.status === 'True' && current.lastTransitionTime ? { ...next, lastTransitionTime: current.lastTransitionTime } : next
      status = setCondition(removeCondition(status, 'Progressing'), kept)
    } else if (isTimedOut(d, status, env.now)) {
      status = setCondition(status, newCondition('Progressing', 'False', REASON.timedOut, `${subject} has timed out progressing.`, env.now))
    }
  }
  const failure = failureOf(sets, newSet)
  status = failure ? setCondition(status, failure) : removeCondition(status, 'ReplicaFailure')
  if (!deepEqual(d.status ?? {}, status)) {
    must(yield* updateStatus('deployments', { ...d, status }))
    return
  }
  // requeueStuckDeployment: look again when the deadline has passed.
  if (!hasProgressDeadline(d) || !current || isComplete(d, status) || current.reason === REASON.timedOut) return
  const after = deadlineAt(d, current) - env.now
  if (after < 1000) {
    yield* effect((rt) => rt.addRateLimited(keyOf(d)))
    return { keepBackoff: true }
  }
  return { requeueAfterMs: after + 1000, periodic: true }
}

/** getReplicaFailures: the new set's failure, else any. */
function failureOf(sets: readonly KubeObject[], newSet: KubeObject | undefined): DeploymentCondition | undefined {
  for (const rs of newSet ? [newSet, ...sets] : sets) {
    for (const c of (rs.status?.conditions ?? []) as DeploymentCondition[]) {
      if (c.type !== 'ReplicaFailure') continue
      const time = c.lastTransitionTime ? { lastUpdateTime: c.lastTransitionTime, lastTransitionTime: c.lastTransitionTime } : {}
      return {
        type: 'ReplicaFailure',
        status: c.status,
        ...time,
        ...(c.reason ? { reason: c.reason } : {}),
        ...(c.message ? { message: c.message } : {}),
      }
    }
  }
  return undefined
}
