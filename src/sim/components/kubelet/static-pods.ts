// Pods from the node's manifest directory, and the mirror pods that show them to the API (pkg/kubelet/config/common.go, pkg/kubelet/pod/mirror_client.go).
import type { Node, Pod } from '../../api/types/kubernetes.gen.ts'
import { type ApiResult, apiRequest, passOver } from '../../client/request.ts'
import { store } from '../../client/informer.ts'
import { apiTime } from '../../client/time.ts'
import type { Context } from '../../net/context.ts'
import { hex64 } from '../runtime/images/registry.ts'
import { config } from './config.ts'
import { isStatic, nameOf, namespaceOf, podKey, uidOf } from './pod-util.ts'

interface Mirror {
  readonly uid: string
  readonly hash: string
}

/** By namespace/name. */
const mirrors = (ctx: Context) => ctx.table<Mirror>('mirrors')
const statics = (ctx: Context) => ctx.table<string>('static-pods')
const RETRY_MS = 5000

/** Manifests that somebody moved out of the directory, by name: on the node's disk. */
const removed = (ctx: Context) => ctx.table<boolean>('removed-manifests')

/** Takes a manifest out of the directory (as `mv` would), and the mirror pod with it. */
export function removeManifest(ctx: Context, name: string, remove: (ctx: Context, pod: Pod) => void): void {
  const manifest = config(ctx).manifests.find((m) => (m as Pod).metadata.name === name) as Pod | undefined
  if (!manifest || removed(ctx).has(name)) return
  removed(ctx).put(name, true)
  const pod = fromManifest(ctx, manifest)
  remove(ctx, pod)
  apiRequest(
    ctx,
    config(ctx).client,
    {
      method: 'DELETE',
      path: `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}`,
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
    },
    { kind: 'manifest.mirror.deleted' },
  )
}

/** Puts it back. */
export function restoreManifest(ctx: Context, name: string, add: (ctx: Context, pod: Pod) => void): void {
  if (!removed(ctx).has(name)) return
  removed(ctx).delete(name)
  startStaticPods(ctx, add, name)
}

export function startStaticPods(ctx: Context, add: (ctx: Context, pod: Pod) => void, only?: string): void {
  for (const manifest of config(ctx).manifests) {
    const { name = '' } = (manifest as Pod).metadata
    if (removed(ctx).has(name) || (only !== undefined && only !== name)) continue
    const pod = fromManifest(ctx, manifest as Pod)
    statics(ctx).put(podKey(pod), uidOf(pod))
    add(ctx, pod)
  }
}

function fromManifest(ctx: Context, manifest: Pod): Pod {
  const { node } = config(ctx)
  const hash = hex64(`${JSON.stringify(manifest)} ${node}`).slice(0, 32)
  const seen = apiTime(ctx.now)
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      name: `${manifest.metadata.name ?? ''}-${node.toLowerCase()}`,
      namespace: manifest.metadata.namespace ?? 'default',
      uid: hash,
      annotations: {
        ...manifest.metadata.annotations,
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.seen': seen,
        'kubernetes.io/config.source': 'file',
      },
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      securityContext: {},
      ...(manifest.spec as NonNullable<Pod['spec']>),
      nodeName: node,
      tolerations: [...(manifest.spec?.tolerations ?? []), { effect: 'NoExecute', operator: 'Exists' }],
    },
    status: { phase: 'Pending' },
  }
}

/** Uid of the manifest's pod that a mirror pod shows. */
export const staticUidOf = (ctx: Context, mirror: Pod): string | undefined => statics(ctx).get(podKey(mirror))

export const mirrorUidOf = (ctx: Context, uid: string): string | undefined => {
  for (const [key, staticUid] of statics(ctx).entries()) if (staticUid === uid) return mirrors(ctx).get(key)?.uid
  return undefined
}

export function forgetMirror(ctx: Context, uid: string): void {
  for (const [key, staticUid] of statics(ctx).entries()) if (staticUid === uid) statics(ctx).delete(key)
}

/** The API must show the pod: created if it is missing, replaced if it shows an older manifest. */
export function ensureMirror(ctx: Context, pod: Pod): void {
  if (!isStatic(pod)) return
  const key = podKey(pod)
  const known = mirrors(ctx).get(key)
  const hash = pod.metadata.annotations?.['kubernetes.io/config.hash'] ?? ''
  if (known?.hash === hash) return
  if (known) {
    apiRequest(
      ctx,
      config(ctx).client,
      {
        method: 'DELETE',
        path: `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}`,
        body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: known.uid } },
      },
      { kind: 'mirror.written', data: key },
    )
    return
  }
  const node = store(ctx, 'nodes').get(config(ctx).node) as unknown as Node | undefined
  if (!node) {
    ctx.setTimer(`mirror/${key}`, 500, 'mirror.retry', uidOf(pod))
    return
  }
  const { uid: _, ...metadata } = pod.metadata
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, 'kubernetes.io/config.mirror': hash },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid, controller: true }],
    },
    spec: pod.spec,
  }
  apiRequest(
    ctx,
    config(ctx).client,
    { method: 'POST', path: `/api/v1/namespaces/${namespaceOf(pod)}/pods`, body },
    { kind: 'mirror.written', data: key },
  )
}

export function onMirrorPod(ctx: Context, pod: Pod, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
  const key = podKey(pod)
  if (type === 'DELETED') {
    mirrors(ctx).delete(key)
    if (statics(ctx).has(key)) ctx.setTimer(`mirror/${key}`, 1000, 'mirror.retry', statics(ctx).get(key))
    return
  }
  const before = mirrors(ctx).get(key)
  mirrors(ctx).put(key, { uid: uidOf(pod), hash: pod.metadata.annotations?.['kubernetes.io/config.mirror'] ?? '' })
  const uid = statics(ctx).get(key)
  if (uid !== undefined && before?.uid !== uidOf(pod)) {
    // A new mirror shows nothing yet: the status is written again.
    const sent = ctx.table<number>('status-sent')
    if (sent.has(uid)) sent.put(uid, 0)
    ctx.setTimer(`status/${uid}`, 0, 'status.retry', uid)
  }
}

interface ManagedPod {
  readonly pod: Pod
}

export const mirrorHandlers: Readonly<Record<string, (ctx: Context, payload: never) => void>> = {
  'mirror.written': ((ctx: Context, result: ApiResult<string>) => {
    if (result.form === 'response' && result.value.status < 300) return
    if (result.form === 'error') passOver(ctx, config(ctx).client)
    if (result.form === 'response' && result.value.status === 409) return
    ctx.setTimer(`mirror/${result.data}`, RETRY_MS, 'mirror.retry', statics(ctx).get(result.data) ?? '', { periodic: true })
  }) as never,
  'mirror.retry': ((ctx: Context, uid: string) => {
    const pod = ctx.table<ManagedPod>('pods').get(uid)?.pod
    if (pod) ensureMirror(ctx, pod)
  }) as never,
}
