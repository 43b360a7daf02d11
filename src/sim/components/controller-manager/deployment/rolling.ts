// rolling.go: the new set grows as far as surge allows, the old ones shrink as far as availability allows.
import type { KubeObject } from '../../../api/types/object.ts'
import { byCreation } from '../runtime/objects.ts'
import { decided } from '../runtime/steps.ts'
import type { Env, Outcome, Steps } from '../runtime/types.ts'
import { syncRolloutStatus } from './progress.ts'
import { all, cleanup, scaleTo, type Sets, syncRevision } from './sync.ts'
import { activeSets, availableOf, isComplete, maxUnavailable, newSetReplicas, replicasOf, sum } from './util.ts'

export function* rolloutRolling(d: KubeObject, sets: readonly KubeObject[], env: Env): Steps<Outcome | void> {
  const synced = yield* syncRevision(d, sets, true, env)
  // As upstream, the status is reckoned with the sets as they were before this sync scaled them.
  if (yield* reconcileNew(synced)) return yield* syncRolloutStatus(synced, env)
  if (yield* reconcileOlds(synced)) return yield* syncRolloutStatus(synced, env)
  if (isComplete(synced.deployment, synced.deployment.status ?? {})) yield* cleanup(synced.deployment, synced.olds)
  return yield* syncRolloutStatus(synced, env)
}

/** Whether it scaled. */
function* reconcileNew(synced: Sets): Steps<boolean> {
  const { deployment: d, newSet } = synced
  if (!newSet || replicasOf(newSet) === replicasOf(d)) return false
  const to = replicasOf(newSet) > replicasOf(d) ? replicasOf(d) : newSetReplicas(d, all(synced), newSet)
  return (yield* scaleTo(d, newSet, to)).scaled
}

function* reconcileOlds(synced: Sets): Steps<boolean> {
  const { deployment: d, newSet } = synced
  const active = activeSets(synced.olds).sort(byCreation)
  if (!newSet || sum(active, replicasOf) === 0) return false
  const minAvailable = replicasOf(d) - maxUnavailable(d)
  const mayGo = sum(all(synced), replicasOf) - minAvailable - (replicasOf(newSet) - availableOf(newSet))
  if (mayGo <= 0) return false
  let changed = false
  const now: KubeObject[] = []
  // cleanupUnhealthyReplicas: what is not available serves nobody and goes first.
  let cleaned = 0
  for (const old of active) {
    const unhealthy = Math.min(mayGo - cleaned, replicasOf(old) - availableOf(old))
    if (unhealthy <= 0 || replicasOf(old) === 0) {
      now.push(old)
      continue
    }
    if (cleaned === 0) yield* decided('remove unhealthy replicas of old sets', { mayGo, minAvailable })
    const { set } = yield* scaleTo(d, old, replicasOf(old) - unhealthy)
    cleaned += unhealthy
    changed = true
    now.push(set)
  }
  // scaleDownOldReplicaSetsForRollingUpdate
  const surplus = sum([...now, newSet], availableOf) - minAvailable
  let removed = 0
  for (const old of now) {
    const count = Math.min(replicasOf(old), surplus - removed)
    if (count <= 0) continue
    yield* scaleTo(d, old, replicasOf(old) - count)
    removed += count
    changed = true
  }
  return changed
}
