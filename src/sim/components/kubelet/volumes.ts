// Volumes of pods: what the kubelet puts on disk before containers start, and keeps up to date after (pkg/kubelet/volumemanager, pkg/volume).
import type { ConfigMapVolumeSource, Pod, SecretVolumeSource, Volume, VolumeProjection } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { apiMicroTime, apiTime } from '../../client/time.ts'
import type { Table } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { CriReply, HostFile } from '../runtime/cri.ts'
import { decodeBase64 } from '../runtime/shell/applets.ts'
import { config, VOLUME_LOOP_MS, VOLUME_RETRY_MS, VOLUME_TIMEOUT_MS } from './config.ts'
import { allocatableOf } from './environment.ts'
import { podEvent } from './events.ts'
import { fieldValue, type PodAddresses, resourceValue } from './field-refs.ts'
import { getObject } from './objects.ts'
import { containerSpecs, nameOf, namespaceOf, specOf, uidOf } from './pod-util.ts'
import type { ManagedPod, VolumeState } from './types.ts'
import { api, call, once, sleep, until, type Work } from './workflow.ts'

/** goroutinemap/exponentialbackoff: 500 ms doubling to 2 min 2 s. */
const MOUNT_BACKOFF_MS = 500
const MOUNT_BACKOFF_MAX_MS = 122_000

const states = (ctx: Context): Table<VolumeState> => ctx.table('volumes')
const key = (uid: string, name: string): string => `${uid}/${name}`

export const podDirectory = (uid: string): string => `/var/lib/kubelet/pods/${uid}`

const PLUGINS: readonly (readonly [keyof Volume, string])[] = [
  ['configMap', 'kubernetes.io~configmap'],
  ['secret', 'kubernetes.io~secret'],
  ['projected', 'kubernetes.io~projected'],
  ['downwardAPI', 'kubernetes.io~downward-api'],
  ['emptyDir', 'kubernetes.io~empty-dir'],
  ['csi', 'kubernetes.io~csi'],
  ['nfs', 'kubernetes.io~nfs'],
]

function volumeDirectory(pod: Pod, volume: Volume): string {
  const plugin = PLUGINS.find(([field]) => volume[field] !== undefined)?.[1] ?? 'kubernetes.io~empty-dir'
  return `${podDirectory(uidOf(pod))}/volumes/${plugin}/${volume.name}`
}

/** Volumes that some container mounts; others are left alone. */
export function usedVolumes(pod: Pod): Volume[] {
  const names = new Set(
    containerSpecs(pod).flatMap((s) => [
      ...(s.container.volumeMounts ?? []).map((m) => m.name),
      ...(s.container.volumeDevices ?? []).map((d) => d.name),
    ]),
  )
  return (specOf(pod).volumes ?? []).filter((v) => names.has(v.name))
}

export const volumeState = (ctx: Context, uid: string, name: string): VolumeState | undefined => states(ctx).get(key(uid, name))

/** desiredStateOfWorldPopulator: the pod's volumes are wanted; mounted ones are looked at again. */
export function wantVolumes(ctx: Context, pod: Pod, startMount: (ctx: Context, uid: string, name: string) => void): void {
  const uid = uidOf(pod)
  for (const volume of usedVolumes(pod)) {
    const before = states(ctx).get(key(uid, volume.name))
    if (!before) {
      states(ctx).put(key(uid, volume.name), { uid, name: volume.name, state: 'pending', backoffMs: 0, remount: false })
      // One turn of the populator's loop and one of the reconciler's lie before the first attempt.
      ctx.setTimer(`volume/${key(uid, volume.name)}`, VOLUME_LOOP_MS * (ctx.random('volumes') + podPhase(ctx, uid)), 'volume.mount', {
        uid,
        name: volume.name,
      })
    } else if (before.state === 'mounted' && refreshes(volume)) startMount(ctx, uid, volume.name)
  }
}

/** The loops' phase is the same for all volumes of a pod. */
function podPhase(ctx: Context, uid: string): number {
  const phases = ctx.table<number>('volume-phase')
  const known = phases.get(uid)
  if (known !== undefined) return known
  const phase = ctx.random('volumes')
  phases.put(uid, phase)
  return phase
}

const refreshes = (volume: Volume): boolean =>
  volume.configMap !== undefined || volume.secret !== undefined || volume.projected !== undefined || volume.downwardAPI !== undefined

export const allMounted = (ctx: Context, pod: Pod): boolean =>
  usedVolumes(pod).every((v) => states(ctx).get(key(uidOf(pod), v.name))?.state === 'mounted')

/** WaitForAttachAndMount: looks at once, then every 300 ms. undefined = mounted. */
export function* waitForMount(pod: Pod): Work<string | undefined> {
  const volumes = usedVolumes(pod)
  if (volumes.length === 0) return undefined
  const start = yield* once((ctx) => ctx.now)
  const mounted = yield* until(
    `volumes/${uidOf(pod)}`,
    (ctx) => allMounted(ctx, pod) || unprocessed(ctx, pod).length > 0,
    VOLUME_TIMEOUT_MS,
  )
  const now = yield* once((ctx) => ctx.now)
  if (mounted && now > start) {
    const polls = Math.ceil((now - start) / VOLUME_RETRY_MS)
    const rest = start + polls * VOLUME_RETRY_MS - now
    if (rest > 0) yield* sleep(rest)
  }
  const missing = yield* once((ctx) =>
    volumes.filter((v) => states(ctx).get(key(uidOf(pod), v.name))?.state !== 'mounted').map((v) => v.name),
  )
  if (missing.length === 0) {
    if (now > start)
      yield* once(
        (ctx) =>
          void ctx.record(
            'kubelet.volumes.mounted',
            { uid: uidOf(pod), volumes: volumes.map((v) => v.name) },
            { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
          ),
      )
    return undefined
  }
  const broken = yield* once((ctx) => unprocessed(ctx, pod))
  if (broken.length > 0)
    return `unmounted volumes=[${missing.join(' ')}], unattached volumes=[], failed to process volumes=[${broken.map((b) => b.name).join(' ')}]: ${broken.map((b) => b.error).join(', ')}`
  return `unmounted volumes=[${missing.join(' ')}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded`
}

/** Volumes of which it is not even clear what to mount. */
export const unprocessed = (ctx: Context, pod: Pod): { name: string; error: string }[] =>
  usedVolumes(pod).flatMap((v) => {
    const s = states(ctx).get(key(uidOf(pod), v.name))
    return s?.state === 'pending' && s.error !== undefined ? [{ name: v.name, error: s.error }] : []
  })

export function forgetVolumes(ctx: Context, uid: string): void {
  for (const k of states(ctx).keysWithPrefix(`${uid}/`)) {
    states(ctx).delete(k)
    ctx.cancelTimer(`volume/${k}`)
  }
  ctx.table<number>('volume-phase').delete(uid)
}

type Payload =
  | { readonly files: readonly HostFile[]; readonly hostPath?: string; readonly atomic: boolean; readonly mode: number }
  /** `unprocessed`: there is nothing yet that could be mounted, and the waiting pod is told at once. */
  | { readonly error: string; readonly unprocessed?: true }

/** Workflow: mounts one volume of a pod. */
export function* mountVolume({ pod, name }: { pod: Pod; name: string }): Work<null> {
  const uid = uidOf(pod)
  const volume = (specOf(pod).volumes ?? []).find((v) => v.name === name)
  if (!volume) return null
  const before = yield* once((ctx) => volumeState(ctx, uid, name) ?? null)
  if (!before) return null
  const payload = yield* setUp(pod, volume)
  if ('error' in payload) {
    yield* once((ctx) => failed(ctx, pod, before, payload.error, payload.unprocessed === true))
    return null
  }
  const directory = payload.hostPath ?? volumeDirectory(pod, volume)
  const content = JSON.stringify(payload.files)
  if (payload.hostPath === undefined && content !== before.content) {
    const at = yield* once((ctx) => ctx.now)
    const runtime = yield* once((ctx) => config(ctx).runtime)
    const work = payload.atomic ? atomicLayout(payload.files, at) : payload.files
    yield* call(
      runtime,
      'host.write',
      { directory, files: [{ path: '', mode: payload.mode }, ...work], replace: payload.atomic },
      { flow: 'control', summary: `mount ${name}` },
    )
  }
  yield* once((ctx) => {
    if (!volumeState(ctx, uid, name)) return
    states(ctx).put(key(uid, name), { uid, name, state: 'mounted', backoffMs: 0, remount: false, hostPath: directory, content })
  })
  return null
}

function failed(ctx: Context, pod: Pod, before: VolumeState, error: string, unprocessed: boolean): void {
  const { uid, name } = before
  if (!volumeState(ctx, uid, name)) return
  if (unprocessed) {
    states(ctx).put(key(uid, name), { ...before, state: 'pending', error })
    ctx.setTimer(`volume/${key(uid, name)}`, VOLUME_LOOP_MS, 'volume.mount', { uid, name }, { periodic: true })
    return
  }
  const message = `MountVolume.SetUp failed for volume "${name}" : ${error}`
  ctx.record(
    'kubelet.volume.failed',
    { uid, volume: name, message: error },
    { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid },
  )
  podEvent(ctx, pod, 'Warning', 'FailedMount', message)
  if (before.state === 'mounted') return
  const backoffMs = before.backoffMs === 0 ? MOUNT_BACKOFF_MS : Math.min(before.backoffMs * 2, MOUNT_BACKOFF_MAX_MS)
  states(ctx).put(key(uid, name), { ...before, state: 'pending', backoffMs })
  ctx.setTimer(
    `volume/${key(uid, name)}`,
    backoffMs + VOLUME_LOOP_MS * ctx.random('volumes'),
    'volume.mount',
    { uid, name },
    { periodic: backoffMs > 4000 },
  )
}

const DEFAULT_MODE = 0o644

function* setUp(pod: Pod, volume: Volume): Work<Payload> {
  if (volume.emptyDir) return { files: [], atomic: false, mode: 0o777 }
  if (volume.hostPath) return yield* hostPath(volume.hostPath.path, volume.hostPath.type ?? '')
  if (volume.persistentVolumeClaim) return yield* claim(pod, volume.persistentVolumeClaim.claimName)
  if (volume.ephemeral) return yield* claim(pod, `${nameOf(pod)}-${volume.name}`)
  let files: HostFile[] | { error: string }
  if (volume.configMap) files = yield* fromConfigMap(pod, volume.configMap, volume.configMap.defaultMode ?? DEFAULT_MODE)
  else if (volume.secret)
    files = yield* fromSecret(pod, { ...volume.secret, name: volume.secret.secretName }, volume.secret.defaultMode ?? DEFAULT_MODE)
  else if (volume.downwardAPI)
    files = yield* fromDownwardAPI(pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? DEFAULT_MODE)
  else if (volume.projected) {
    files = []
    for (const source of volume.projected.sources ?? []) {
      const some = yield* fromProjection(pod, source, volume.projected.defaultMode ?? DEFAULT_MODE)
      if ('error' in some) return some
      files = [...files.filter((f) => !some.some((s) => s.path === f.path)), ...some]
    }
  } else return { files: [], atomic: false, mode: 0o755 }
  if ('error' in files) return files
  return { files, atomic: true, mode: 0o1777 }
}

const HOST_PATH_TYPES: Readonly<Record<string, { readonly type: string; readonly name: string }>> = {
  Directory: { type: 'dir', name: 'directory' },
  DirectoryOrCreate: { type: 'dir', name: 'directory' },
  File: { type: 'file', name: 'file' },
  FileOrCreate: { type: 'file', name: 'file' },
  Socket: { type: 'socket', name: 'socket file' },
  CharDevice: { type: 'char', name: 'character device' },
  BlockDevice: { type: 'block', name: 'block device' },
}

function* hostPath(path: string, type: string): Work<Payload> {
  const runtime = yield* once((ctx) => config(ctx).runtime)
  if (type !== '') {
    const stat = yield* call<CriReply<{ type: 'dir' | 'file' | 'link' | 'none' }>>(
      runtime,
      'host.stat',
      { path },
      { flow: 'control', summary: `stat ${path}` },
    )
    const found = stat.form === 'response' && stat.value.ok ? stat.value.value.type : 'none'
    const wanted = HOST_PATH_TYPES[type]
    const make = type.endsWith('OrCreate') && found === 'none'
    if (wanted && !make && found !== wanted.type) return { error: `hostPath type check failed: ${path} is not a ${wanted.name}` }
  }
  if (type === 'DirectoryOrCreate' || type === '')
    yield* call(runtime, 'host.write', { directory: path, files: [], replace: false }, { flow: 'control', summary: `hostPath ${path}` })
  else if (type === 'FileOrCreate') {
    const cut = path.lastIndexOf('/')
    yield* call(
      runtime,
      'host.write',
      { directory: path.slice(0, cut) || '/', files: [], create: path.slice(cut + 1), replace: false },
      { flow: 'control', summary: `hostPath ${path}` },
    )
  }
  return { files: [], hostPath: path, atomic: false, mode: 0o755 }
}

/** A bound claim: the directory of its volume on this node. */
function* claim(pod: Pod, claimName: string): Work<Payload> {
  const client = yield* once((ctx) => config(ctx).client)
  const got = yield* api(client, { method: 'GET', path: `/api/v1/namespaces/${namespaceOf(pod)}/persistentvolumeclaims/${claimName}` })
  const pvc = got.form === 'response' && got.value.status === 200 ? (got.value.body as KubeObject) : undefined
  if (!pvc)
    return {
      error: `error processing PVC ${namespaceOf(pod)}/${claimName}: failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`,
      unprocessed: true,
    }
  if (pvc.status?.phase !== 'Bound' || !pvc.spec?.volumeName)
    return { error: `error processing PVC ${namespaceOf(pod)}/${claimName}: PVC is not bound`, unprocessed: true }
  const name = String(pvc.spec.volumeName)
  const volume = yield* api(client, { method: 'GET', path: `/api/v1/persistentvolumes/${name}` })
  const pv = volume.form === 'response' && volume.value.status === 200 ? (volume.value.body as KubeObject) : undefined
  if (!pv)
    return { error: `error processing PVC ${namespaceOf(pod)}/${claimName}: failed to fetch PV ${name} from API server`, unprocessed: true }
  const path = pv.spec?.hostPath?.path ?? pv.spec?.local?.path ?? `/var/lib/kubelet/plugins/persistent-volumes/${name}`
  const runtime = yield* once((ctx) => config(ctx).runtime)
  yield* call(runtime, 'host.write', { directory: path, files: [], replace: false }, { flow: 'control', summary: `mount ${name}` })
  return { files: [], hostPath: path, atomic: false, mode: 0o755 }
}

interface KeySource {
  readonly name?: string
  readonly optional?: boolean
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[]
}

function* keyFiles(pod: Pod, kind: 'configmap' | 'secret', source: KeySource, mode: number): Work<HostFile[] | { error: string }> {
  const found = yield* getObject(kind, namespaceOf(pod), source.name ?? '')
  if ('error' in found) return source.optional && / not found$/.test(found.error) ? [] : found
  const data = new Map<string, string>()
  for (const [k, v] of Object.entries((found.object.data ?? {}) as Record<string, string>))
    data.set(k, kind === 'secret' ? decodeBase64(v) : v)
  for (const [k, v] of Object.entries((found.object.binaryData ?? {}) as Record<string, string>)) data.set(k, decodeBase64(v))
  if (!source.items || source.items.length === 0) return [...data].map(([path, content]) => ({ path, content, mode }))
  const files: HostFile[] = []
  for (const item of source.items) {
    const content = data.get(item.key)
    if (content === undefined) {
      if (source.optional) continue
      return {
        error:
          kind === 'configmap'
            ? `configmap references non-existent config key: ${item.key}`
            : `references non-existent secret key: ${item.key}`,
      }
    }
    files.push({ path: item.path, content, mode: item.mode ?? mode })
  }
  return files
}

const fromConfigMap = (pod: Pod, source: ConfigMapVolumeSource, mode: number): Work<HostFile[] | { error: string }> =>
  keyFiles(pod, 'configmap', source, mode)
const fromSecret = (pod: Pod, source: SecretVolumeSource & { name?: string }, mode: number): Work<HostFile[] | { error: string }> =>
  keyFiles(pod, 'secret', source, mode)

function* fromDownwardAPI(
  pod: Pod,
  items: readonly {
    path: string
    mode?: number
    fieldRef?: { fieldPath: string }
    resourceFieldRef?: { containerName?: string; resource: string; divisor?: string }
  }[],
  mode: number,
): Work<HostFile[]> {
  const addresses = yield* podAddresses(pod)
  const allocatable = yield* allocatableOf()
  return items.map((item) => ({
    path: item.path,
    mode: item.mode ?? mode,
    content: item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, addresses)
      : item.resourceFieldRef
        ? resourceValue(
            pod,
            item.resourceFieldRef.containerName ?? '',
            item.resourceFieldRef.resource,
            item.resourceFieldRef.divisor,
            allocatable,
          )
        : '',
  }))
}

/** When the kubelet first saw a pod, as its annotation says. */
export function seenAt(ctx: Context, uid: string): string {
  const at = ctx.table<ManagedPod>('pods').get(uid)?.seenAt ?? ctx.now
  return apiMicroTime(at).replace('Z', '000Z')
}

export function* podAddresses(pod: Pod): Work<PodAddresses> {
  return yield* once((ctx) => ({
    podIPs: pod.status?.podIPs?.map((p) => p.ip) ?? [],
    hostIP: config(ctx).nodeIP,
    node: config(ctx).node,
    seen: seenAt(ctx, uidOf(pod)),
  }))
}

function* fromProjection(pod: Pod, source: VolumeProjection, mode: number): Work<HostFile[] | { error: string }> {
  if (source.configMap) return yield* keyFiles(pod, 'configmap', source.configMap as KeySource, mode)
  if (source.secret) return yield* keyFiles(pod, 'secret', source.secret as KeySource, mode)
  if (source.downwardAPI) return yield* fromDownwardAPI(pod, source.downwardAPI.items ?? [], mode)
  if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken
    const token = yield* serviceAccountToken(pod, audience, expirationSeconds)
    if ('error' in token) return token
    return [{ path, content: token.token, mode: 0o644 }]
  }
  return []
}

interface CachedToken {
  readonly token: string
  readonly refreshAt: number
}

/** token_manager.go: kept until 80 % of its life is over. */
function* serviceAccountToken(
  pod: Pod,
  audience: string | undefined,
  expirationSeconds: number,
): Work<{ token: string } | { error: string }> {
  const account = specOf(pod).serviceAccountName || 'default'
  const cacheKey = `${uidOf(pod)}/${account}/${audience ?? ''}/${expirationSeconds}`
  const cached = yield* once((ctx) => {
    const t = ctx.table<CachedToken>('tokens').get(cacheKey)
    return t && ctx.now < t.refreshAt ? t.token : null
  })
  if (cached !== null) return { token: cached }
  const client = yield* once((ctx) => config(ctx).client)
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience ? [audience] : [],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: nameOf(pod), uid: uidOf(pod) },
    },
  }
  const got = yield* api(client, { method: 'POST', path: `/api/v1/namespaces/${namespaceOf(pod)}/serviceaccounts/${account}/token`, body })
  if (got.form !== 'response' || got.value.status >= 300) {
    const message =
      got.form === 'response'
        ? String((got.value.body as { message?: string } | undefined)?.message ?? got.value.status)
        : got.form === 'error'
          ? got.error
          : 'connection closed'
    return { error: `failed to fetch token: ${message}` }
  }
  const token = String((got.value.body as { status?: { token?: string } }).status?.token ?? '')
  yield* once((ctx) => ctx.table<CachedToken>('tokens').put(cacheKey, { token, refreshAt: ctx.now + expirationSeconds * 800 }))
  return { token }
}

/** atomic_writer.go: content in a dated directory, `..data` points to it, and every file is a link through `..data`. */
export function atomicLayout(files: readonly HostFile[], now: number): HostFile[] {
  const stamp = `..${apiTime(now).replace(/[-:]/g, '_').replace('T', '_').replace('Z', '')}.${String(Math.floor(now * 1000) % 1_000_000_000).padStart(9, '0')}`
  const top = [...new Set(files.map((f) => f.path.split('/')[0] as string))]
  return [
    { path: stamp, mode: 0o755 },
    ...files.map((f) => ({ ...f, path: `${stamp}/${f.path}` })),
    { path: '..data', mode: 0o777, link: stamp },
    ...top.map((name) => ({ path: name, mode: 0o777, link: `..data/${name}` })),
  ]
}
