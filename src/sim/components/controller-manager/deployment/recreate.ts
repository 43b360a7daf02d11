// recreate.go: first all old pods go, then the new ones come.
import type { KubeObject } from '../../../api/types/object.ts'
import type { Env, Outcome, Steps } from '../runtime/types.ts'
import { syncRolloutStatus } from './progress.ts'
import { cleanup, scaleTo, syncRevision } from './sync.ts'
import { activeSets, isComplete, replicasOf, sum } from './util.ts'

export function* rolloutRecreate(
  d: KubeObject,
  sets: readonly KubeObject[],
  running: Readonly<Record<string, boolean>>,
  env: Env,
): Steps<Outcome | void> {
  let synced = yield* syncRevision(d, sets, false, env)
  let scaledDown = false
  for (const old of activeSets(synced.olds)) {
    const { scaled } = yield* scaleTo(synced.deployment, old, 0)
    scaledDown ||= scaled
  }
  if (scaledDown) return yield* syncRolloutStatus(synced, env)
  const oldPods =
    sum(synced.olds, (rs) => rs.status?.replicas ?? 0) > 0 ||
    sets.some((rs) => rs.metadata.uid !== synced.newSet?.metadata.uid && running[rs.metadata.uid ?? ''])
  if (oldPods) return yield* syncRolloutStatus(synced, env)
  if (!synced.newSet) synced = yield* syncRevision(synced.deployment, sets, true, env)
  if (synced.newSet) yield* scaleTo(synced.deployment, synced.newSet, replicasOf(synced.deployment))
  if (isComplete(synced.deployment, synced.deployment.status ?? {})) yield* cleanup(synced.deployment, synced.olds)
  return yield* syncRolloutStatus(synced, env)
}
