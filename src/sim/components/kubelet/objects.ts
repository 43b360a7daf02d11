// ConfigMaps and Secrets that pods of this node refer to: one watch per object, as long as a pod needs it
// (pkg/kubelet/util/manager/watch_based_manager.go).
import type { Pod, PodSpec } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { type InformerSpec, store } from '../../client/informer.ts'
import type { Context } from '../../net/context.ts'
import { OBJECT_SYNC_TIMEOUT_MS } from './config.ts'
import { namespaceOf, specOf, uidOf } from './pod-util.ts'
import { once, until, type Work } from './workflow.ts'

export type ObjectKind = 'configmap' | 'secret'

export const informerName = (kind: ObjectKind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`

export function informerSpec(kind: ObjectKind, namespace: string, name: string): InformerSpec {
  return {
    name: informerName(kind, namespace, name),
    path: `/api/v1/namespaces/${namespace}/${kind}s`,
    query: `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`,
  }
}

/** All ConfigMaps and Secrets that a pod mentions, in the order in which the kubelet meets them. */
export function referencedObjects(pod: Pod): { kind: ObjectKind; name: string }[] {
  const spec: PodSpec = specOf(pod)
  const found: { kind: ObjectKind; name: string }[] = []
  const add = (kind: ObjectKind, name: string | undefined): void => {
    if (name && !found.some((f) => f.kind === kind && f.name === name)) found.push({ kind, name })
  }
  for (const secret of spec.imagePullSecrets ?? []) add('secret', secret.name)
  for (const c of [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as typeof spec.containers)]) {
    for (const from of c.envFrom ?? []) {
      add('configmap', from.configMapRef?.name)
      add('secret', from.secretRef?.name)
    }
    for (const env of c.env ?? []) {
      add('configmap', env.valueFrom?.configMapKeyRef?.name)
      add('secret', env.valueFrom?.secretKeyRef?.name)
    }
  }
  for (const v of spec.volumes ?? []) {
    add('secret', v.secret?.secretName)
    add('configmap', v.configMap?.name)
    for (const s of v.projected?.sources ?? []) {
      add('secret', s.secret?.name)
      add('configmap', s.configMap?.name)
    }
  }
  return found
}

export interface ObjectWatches {
  start(ctx: Context, spec: InformerSpec): void
  stop(ctx: Context, name: string): void
}

/** Table: informer name → uids of the pods that need it. */
const users = (ctx: Context) => ctx.table<readonly string[]>('object-users')

export function registerPod(ctx: Context, pod: Pod, watches: ObjectWatches): void {
  const uid = uidOf(pod)
  for (const { kind, name } of referencedObjects(pod)) {
    const spec = informerSpec(kind, namespaceOf(pod), name)
    const before = users(ctx).get(spec.name) ?? []
    if (before.includes(uid)) continue
    users(ctx).put(spec.name, [...before, uid])
    watches.start(ctx, spec)
  }
}

export function unregisterPod(ctx: Context, uid: string, watches: ObjectWatches): void {
  for (const [name, uids] of users(ctx).entries()) {
    if (!uids.includes(uid)) continue
    const rest = uids.filter((u) => u !== uid)
    if (rest.length > 0) users(ctx).put(name, rest)
    else {
      users(ctx).delete(name)
      watches.stop(ctx, name)
    }
  }
}

const synced = (ctx: Context, name: string): boolean => ctx.table<{ synced: boolean }>('informers').get(name)?.synced ?? false

/** The object, or the words of the error. */
export function* getObject(kind: ObjectKind, namespace: string, name: string): Work<{ object: KubeObject } | { error: string }> {
  const informer = informerName(kind, namespace, name)
  const ready = yield* until(`informer/${informer}`, (ctx) => synced(ctx, informer), OBJECT_SYNC_TIMEOUT_MS)
  if (!ready) return { error: `failed to sync ${kind} cache: timed out waiting for the condition` }
  const object = yield* once((ctx) => store(ctx, informer).get(`${namespace}/${name}`) ?? null)
  return object ? { object } : { error: `${kind} "${name}" not found` }
}
