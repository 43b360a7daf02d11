// pkg/controller/daemon/update.go rollingUpdate: which old pods may go, and where a new one may come first.
import type { KubeObject } from '../../../api/types/object.ts'
import { isPodAvailable } from '../runtime/objects.ts'
import type { NodePods } from './daemonset.ts'
import { isUpdated, shouldRun, updateLimits } from './nodes.ts'

export interface UpdatePlan {
  readonly remove: KubeObject[]
  readonly create: string[]
}

export function planUpdate(ds: KubeObject, nodes: readonly KubeObject[], onNode: NodePods, hash: string, now: number): UpdatePlan {
  const wanted = nodes.filter((n) => shouldRun(ds, n).run).map((n) => n.metadata.name ?? '')
  const { surge, unavailable } = updateLimits(ds, wanted.length)
  const names = [...new Set([...wanted, ...onNode.keys()])].sort()
  const available = (pod: KubeObject): boolean => isPodAvailable(pod, ds.spec?.minReadySeconds ?? 0, now)
  const split = names.map((name) => {
    const live = (onNode.get(name) ?? []).filter((p) => !p.metadata.deletionTimestamp)
    const fresh = live.filter((p) => isUpdated(ds, p, hash))
    const old = live.filter((p) => !isUpdated(ds, p, hash))
    return { name, newPod: fresh[0], oldPod: old[0], clear: fresh.length <= 1 && old.length <= 1 }
  })
  if (surge === 0) {
    let down = 0
    const replace: KubeObject[] = []
    const candidates: KubeObject[] = []
    for (const { newPod, oldPod, clear } of split) {
      if (!clear || Boolean(newPod) === Boolean(oldPod)) down++
      else if (newPod) {
        if (!available(newPod)) down++
      } else if (oldPod && !available(oldPod)) {
        // Not available anyway: replacing it takes nothing away.
        replace.push(oldPod)
        down++
      } else if (oldPod) candidates.push(oldPod)
    }
    return { remove: [...replace, ...candidates.slice(0, Math.max(0, unavailable - down))], create: [] }
  }
  let surging = 0
  const remove: KubeObject[] = []
  const allowed: string[] = []
  const candidates: string[] = []
  for (const { name, newPod, oldPod, clear } of split) {
    if (!clear) surging++
    else if (!oldPod) continue
    else if (!newPod) (available(oldPod) ? candidates : allowed).push(name)
    else if (available(newPod)) remove.push(oldPod)
    else surging++
  }
  return { remove, create: [...allowed, ...candidates.slice(0, Math.max(0, surge - surging))] }
}
