// Removal of what is dead (pkg/kubelet/pod_container_deletor.go, pkg/kubelet/kuberuntime/kuberuntime_gc.go).
import type { Context } from '../../net/context.ts'
import { config, MAX_DEAD_CONTAINERS } from './config.ts'
import { cachedStatus } from './pleg.ts'
import type { CachedStatus } from './types.ts'

function remove(ctx: Context, method: 'RemoveContainer' | 'RemovePodSandbox', id: string): void {
  ctx.call(config(ctx).runtime, `cri.${method}`, { id }, { then: { kind: 'gc.done' }, flow: 'control', summary: method })
}

/** After a container died: of each name only the newest dead one is kept; of a pod that is gone, none. */
export function deleteDeadContainers(ctx: Context, uid: string, exitedId: string, all: boolean): void {
  const status = cachedStatus(ctx, uid)
  if (!status) return
  const exited = status.containers.find((c) => c.id === exitedId)
  if (!exited && !all) return
  const dead = status.containers.filter((c) => c.state === 'CONTAINER_EXITED' && (all || c.name === exited?.name))
  for (const c of dead.slice(all ? 0 : MAX_DEAD_CONTAINERS)) remove(ctx, 'RemoveContainer', c.id)
}

/** True if something is left to collect. */
export function collectGarbage(ctx: Context, wanted: (uid: string) => boolean): boolean {
  let left = false
  for (const cached of ctx.table<CachedStatus>('pod-cache').values()) {
    if (wanted(cached.uid)) continue
    if (cached.containers.some((c) => c.state === 'CONTAINER_RUNNING')) {
      left = true
      continue
    }
    for (const c of cached.containers) remove(ctx, 'RemoveContainer', c.id)
    for (const s of cached.sandboxes) remove(ctx, 'RemovePodSandbox', s.id)
    ctx.call(
      config(ctx).runtime,
      'host.remove',
      { directory: `/var/lib/kubelet/pods/${cached.uid}` },
      { then: { kind: 'gc.done' }, flow: 'control', summary: 'remove pod directory' },
    )
  }
  return left
}
