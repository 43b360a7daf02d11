// pkg/controller/deployment: deployment_controller.go, sync.go, rolling.go, recreate.go, progress.go.
import { deepEqual } from '../../../../lib/compare.ts'
import { labelSelectorAsSelector, nothing, type Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { claim } from '../runtime/claim.ts'
import { orphanKey } from '../runtime/indexes.ts'
import { controllerOf, isPodTerminal, keyOf } from '../runtime/objects.ts'
import { event, SyncError, updateStatus } from '../runtime/steps.ts'
import type { Controller, Runtime } from '../runtime/types.ts'
import { MAX_RETRIES, MESSAGE, REASON } from './constants.ts'
import { checkPaused, isScalingEvent, scaleAndSync, syncStatusOnly } from './sync.ts'
import { rolloutRecreate } from './recreate.ts'
import { rolloutRolling } from './rolling.ts'

export interface Observed {
  readonly deployment: KubeObject
  /** ReplicaSets that it owns and orphans of its namespace. */
  readonly sets: readonly KubeObject[]
  /** uid of a ReplicaSet → whether it has pods that still may run. Only for the strategy Recreate. */
  readonly running: Readonly<Record<string, boolean>>
}

const selectorOf = (d: KubeObject): Selector => labelSelectorAsSelector(d.spec?.selector) ?? nothing

const ownerOf = (rt: Runtime, rs: KubeObject): KubeObject | undefined => {
  const ref = controllerOf(rs)
  if (ref?.kind !== 'Deployment') return undefined
  const d = rt.get('deployments', `${rs.metadata.namespace}/${ref.name}`)
  return d?.metadata.uid === ref.uid ? d : undefined
}

const addMatching = (rt: Runtime, rs: KubeObject): void => {
  for (const d of rt.list('deployments', rs.metadata.namespace))
    if (!selectorOf(d).empty() && selectorOf(d).matches(rs.metadata.labels ?? {})) rt.add(keyOf(d))
}

export const deploymentController: Controller<Observed> = {
  name: 'deployment-controller',
  controller: 'deployment-controller',
  serviceAccount: 'deployment-controller',
  workers: 5,
  subject: 'deployments',
  informers: ['deployments', 'replicasets', 'pods'],
  retry: { max: MAX_RETRIES },
  on: {
    deployments: (rt, event) => rt.add(event.key),
    replicasets(rt, { type, object: rs, old }) {
      const ref = controllerOf(rs)
      if (type === 'MODIFIED' && old && controllerOf(old)?.uid !== ref?.uid) {
        const former = ownerOf(rt, old)
        if (former) rt.add(keyOf(former))
      }
      if (ref) {
        const d = ownerOf(rt, rs)
        if (d) rt.add(keyOf(d))
      } else if (
        type === 'ADDED' ||
        (type === 'MODIFIED' && (controllerOf(old as KubeObject) || !deepEqual(old?.metadata.labels, rs.metadata.labels)))
      )
        addMatching(rt, rs)
    },
    pods(rt, { type, object: pod }) {
      // Recreate waits for the last old pod to be gone.
      if (type !== 'DELETED') return
      const ref = controllerOf(pod)
      const rs = ref?.kind === 'ReplicaSet' ? rt.get('replicasets', `${pod.metadata.namespace}/${ref.name}`) : undefined
      const d = rs && ownerOf(rt, rs)
      if (d?.spec?.strategy?.type !== 'Recreate') return
      const sets = rt.index('replicasets', 'controller', d.metadata.uid ?? '')
      if (sets.every((s) => rt.index('pods', 'controller', s.metadata.uid ?? '').length === 0)) rt.add(keyOf(d))
    },
  },
  observe(key, rt) {
    const deployment = rt.get('deployments', key)
    if (!deployment) return undefined
    const { uid, namespace } = deployment.metadata
    const sets = [...rt.index('replicasets', 'controller', uid ?? ''), ...rt.index('replicasets', 'controller', orphanKey(namespace))]
    const running: Record<string, boolean> = {}
    if (deployment.spec?.strategy?.type === 'Recreate') {
      for (const rs of sets)
        running[rs.metadata.uid ?? ''] = rt.index('pods', 'controller', rs.metadata.uid ?? '').some((p) => !isPodTerminal(p))
    }
    return { deployment, sets, running }
  },
  *reconcile(observed, env) {
    let d = observed.deployment
    const selector = selectorOf(d)
    if (selector.empty()) {
      yield* event(d, 'Warning', REASON.selectingAll, MESSAGE.selectingAll)
      if ((d.status?.observedGeneration ?? 0) < (d.metadata.generation ?? 0)) {
        yield* updateStatus('deployments', { ...d, status: { ...d.status, observedGeneration: d.metadata.generation } })
      }
      return
    }
    const sets = yield* claim(d, observed.sets, { ownerResource: 'deployments', resource: 'replicasets', selector })
    if (d.metadata.deletionTimestamp) return yield* syncStatusOnly(d, sets, env)
    d = yield* checkPaused(d, env)
    if (d.spec?.paused) return yield* scaleAndSync(d, sets, env)
    const scaling = yield* isScalingEvent(d, sets, env)
    if (scaling.found) return yield* scaleAndSync(scaling.deployment, sets, env)
    d = scaling.deployment
    switch (d.spec?.strategy?.type) {
      case 'Recreate':
        return yield* rolloutRecreate(d, sets, observed.running, env)
      case 'RollingUpdate':
        return yield* rolloutRolling(d, sets, env)
      default:
        throw new SyncError(`unexpected deployment strategy type: ${d.spec?.strategy?.type}`)
    }
  },
}
