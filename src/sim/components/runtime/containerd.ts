// containerd: the node's container runtime. Answers CRI calls; what it runs are processes in a table (shell/), programs of images (images/)
// and, for the cluster's own images, processes of the simulation. Containers outlive it: it only supervises them.
import { podRange, setPodRange } from '../cni/host-local.ts'
import * as cni from '../cni/host-local.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { Delivery } from '../../engine/types.ts'
import type { CallResult } from '../../net/types.ts'
import {
  answerConnection,
  exited,
  failSession,
  imageOf,
  notify,
  podRef,
  rearm,
  runContainer,
  signalContainer,
  simulationProcess,
  startSimulationProcess,
  viewOf,
} from './container-process.ts'
import type {
  ContainerConfig,
  CriError,
  CriMethods,
  CriReply,
  HostFile,
  LogOptions,
  PodConnect,
  RuntimeContainerStatus,
  RuntimePodStatus,
  SandboxConfig,
} from './cri.ts'
import { layerKey, makeDirectory, removeLayer, writeFile } from './filesystem.ts'
import { findImage } from './images/registry.ts'
import { fullName, parseReference } from './images/reference.ts'
import { follow, readLog, removeLog } from './logs.ts'
import { onLocalAnswer, onNetworkAnswer } from './network.ts'
import { commandExists, spawn } from './shell/machine.ts'
import { signalName } from './shell/process.ts'
import {
  config,
  type Container,
  type ContainerdConfig,
  containers,
  DURABLE,
  files,
  followers,
  images,
  newId,
  type PresentImage,
  sandboxes,
  sessions,
  stopping,
} from './state.ts'

export type { ContainerdConfig } from './state.ts'

/** How long the runtime's own work takes on a quiet machine, virtual ms. */
const LATENCY_MS: Readonly<Record<string, number>> = {
  RunPodSandbox: 18,
  StopPodSandbox: 4,
  CreateContainer: 3,
  StartContainer: 4,
  RemoveContainer: 1,
  RemovePodSandbox: 1,
}

type Outcome = CriReply | undefined
const ok = (value: unknown): CriReply => ({ ok: true, value })
const failed = (code: CriError['code'], message: string): CriReply => ({ ok: false, error: { code, message } })

const RUNTIME_ERROR =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: '
const EXEC_ERROR = 'OCI runtime exec failed: exec failed: unable to start container process: '

/** undefined: the answer comes later. */
type Method<M extends keyof CriMethods> = (ctx: Context, request: CriMethods[M]['request'], call: number) => Outcome

const METHODS: { readonly [M in keyof CriMethods]: Method<M> } = {
  Status: (ctx) => {
    const networkReady = podRange(ctx) !== undefined
    return ok({
      runtimeReady: true,
      bootedAt: ctx.table<number>('host').get('bootedAt') ?? 0,
      networkReady,
      networkMessage: networkReady ? '' : 'Network plugin returns error: cni plugin not initialized',
    })
  },
  UpdateRuntimeConfig: (ctx, { podCIDR }) => {
    if (config(ctx).cni === 'runtime-config') installNetwork(ctx, podCIDR)
    return ok({})
  },
  RunPodSandbox: runSandbox,
  StopPodSandbox: (ctx, { id }) => {
    const sandbox = sandboxes(ctx).get(id)
    if (!sandbox) return failed('NotFound', `an error occurred when try to find sandbox: not found`)
    if (sandbox.state === 'SANDBOX_NOTREADY') return ok({})
    for (const container of containers(ctx).values())
      if (container.sandboxId === id && container.state === 'CONTAINER_RUNNING') exited(ctx, container.id, 137)
    if (sandbox.lease) {
      cni.release(ctx, id)
      ctx.record('cni.deleted', { sandbox: id, ip: sandbox.ip })
    }
    sandboxes(ctx).put(id, { ...sandbox, state: 'SANDBOX_NOTREADY', lease: false })
    ctx.record('cri.sandbox.stopped', { sandbox: id, uid: sandbox.config.uid }, sandboxRef(sandbox.config))
    notify(ctx, sandbox.config.uid)
    return ok({})
  },
  RemovePodSandbox: (ctx, { id }) => {
    for (const container of containers(ctx).values()) if (container.sandboxId === id) removeContainer(ctx, container)
    const sandbox = sandboxes(ctx).get(id)
    if (sandbox?.lease) cni.release(ctx, id)
    sandboxes(ctx).delete(id)
    if (sandbox) notify(ctx, sandbox.config.uid)
    return ok({})
  },
  CreateContainer: createContainer,
  StartContainer: startContainer,
  StopContainer: (ctx, { id, timeoutSeconds }, call) => {
    const container = containers(ctx).get(id)
    if (!container) return failed('NotFound', `an error occurred when try to find container "${id}": not found`)
    if (container.state !== 'CONTAINER_RUNNING') return ok({})
    const before = stopping(ctx).get(id)
    stopping(ctx).put(id, { container: id, calls: [...(before?.calls ?? []), call] })
    const deadline = timeoutSeconds * 1000
    ctx.setTimer(`kill/${id}`, deadline, 'container.kill', id)
    if (timeoutSeconds > 0) signalContainer(ctx, id, signalName(container.stopSignal) ?? 'TERM')
    return undefined
  },
  RemoveContainer: (ctx, { id }) => {
    const container = containers(ctx).get(id)
    if (container) removeContainer(ctx, container)
    return ok({})
  },
  PodStatus: (ctx, { uids }) => ok({ pods: podStatuses(ctx, uids) }),
  ExecSync: (ctx, { id, command, timeoutSeconds, stdin }, call) => {
    const container = containers(ctx).get(id)
    if (!container) return failed('NotFound', `an error occurred when try to find container "${id}": not found`)
    if (container.state !== 'CONTAINER_RUNNING')
      return failed('Unknown', `failed to exec in container: container is in ${container.state} state`)
    const session = newId(ctx)
    sessions(ctx).put(session, { id: session, container: id, command, call, stdout: '', stderr: '' })
    let started = false
    runContainer(ctx, id, (m) => {
      const environment = container.env
      if (!commandExists(m, command[0] ?? '', new Map(environment), container.workingDir)) return
      started = true
      spawn(m, {
        parent: 1,
        argv: command,
        cwd: container.workingDir,
        uid: container.user.uid,
        gid: container.user.gid,
        environment,
        fds: [
          [0, stdin === undefined ? { k: 'null' } : { k: 'text', text: stdin }],
          [1, { k: 'exec', session, stream: 'stdout' }],
          [2, { k: 'exec', session, stream: 'stderr' }],
        ],
        session,
      })
    })
    if (!started) {
      sessions(ctx).delete(session)
      return failed('Unknown', `failed to exec in container: failed to start exec "${session}": ${EXEC_ERROR}${notFound(command[0] ?? '')}`)
    }
    if (timeoutSeconds > 0 && sessions(ctx).has(session))
      ctx.setTimer(`exec/${session}`, timeoutSeconds * 1000, 'exec.timeout', { session, timeoutSeconds })
    return undefined
  },
  PullImage: pullImage,
  ImageStatus: (ctx, { image }) => {
    const present = presentImage(ctx, image)
    return ok(present ? { image: statusOf(present) } : {})
  },
  ListImages: (ctx) => ok({ images: images(ctx).values().map(statusOf) }),
  RemoveImage: (ctx, { image }) => {
    const present = presentImage(ctx, image)
    if (present) images(ctx).delete(present.name)
    return ok({})
  },
}

const notFound = (command: string): string =>
  command.includes('/')
    ? `exec: "${command}": stat ${command}: no such file or directory: unknown`
    : `exec: "${command}": executable file not found in $PATH: unknown`

const sandboxRef = (c: SandboxConfig): { apiVersion: string; kind: string; namespace: string; name: string; uid: string } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: c.namespace,
  name: c.name,
  uid: c.uid,
})

function installNetwork(ctx: Context, podCIDR: string): void {
  if (podCIDR === '' || podRange(ctx) === podCIDR) return
  setPodRange(ctx, podCIDR)
  ctx.record('cni.configured', { podCIDR })
}

function runSandbox(ctx: Context, request: SandboxConfig): Outcome {
  const id = newId(ctx)
  let ip = config(ctx).nodeIP
  const podCIDR = podRange(ctx)
  if (!request.hostNetwork) {
    if (podCIDR === undefined) return failed('Unknown', `failed to setup network for sandbox "${id}": cni plugin not initialized`)
    const address = cni.allocate(ctx, id)
    if (address === undefined)
      return failed(
        'Unknown',
        `failed to setup network for sandbox "${id}": plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set: ${podCIDR}`,
      )
    ip = address
    ctx.record('cni.added', { sandbox: id, ip, podCIDR }, sandboxRef(request))
  }
  sandboxes(ctx).put(id, {
    id,
    attempt: request.attempt,
    state: 'SANDBOX_READY',
    createdAt: ctx.now,
    ip,
    hostNetwork: request.hostNetwork,
    config: request,
    lease: !request.hostNetwork,
  })
  ctx.because(
    ctx.record('cri.sandbox.started', { sandbox: id, uid: request.uid, ip, hostNetwork: request.hostNetwork }, sandboxRef(request)),
  )
  notify(ctx, request.uid)
  return ok({ id, ip })
}

function createContainer(ctx: Context, { sandboxId, config: c }: { sandboxId: string; config: ContainerConfig }): Outcome {
  const sandbox = sandboxes(ctx).get(sandboxId)
  if (!sandbox) return failed('NotFound', 'failed to find sandbox id: not found')
  const present = presentImage(ctx, c.imageRef) ?? presentImage(ctx, c.image)
  if (!present) return failed('NotFound', `failed to resolve image "${c.image}": not found`)
  const image = imageOf(present.name)
  const id = newId(ctx)
  const argv = c.command.length > 0 ? [...c.command, ...c.args] : [...image.entrypoint, ...(c.args.length > 0 ? c.args : image.cmd)]
  if (argv.length === 0) return failed('Unknown', 'failed to generate container spec: no command specified')
  const workingDir = c.workingDir === '' ? image.workingDir : c.workingDir
  const given = new Set(c.env.map(([name]) => name))
  const env: [string, string][] = [
    ...image.env.filter(([name]) => !given.has(name)),
    ...(given.has('HOSTNAME') ? [] : [['HOSTNAME', sandbox.config.hostname] as const]),
    ...c.env,
  ].map(([n, v]) => [n, v])
  const uid = c.runAsUser ?? (/^\d+$/.test(image.user) ? Number(image.user) : 0)
  if (!env.some(([n]) => n === 'HOME')) env.push(['HOME', uid === 0 ? '/root' : '/'])
  const gid = c.runAsGroup ?? 0
  const container: Container = {
    id,
    sandboxId,
    name: c.name,
    attempt: c.attempt,
    image: present.name,
    imageRef: present.repoDigest,
    imageId: present.id,
    hash: c.hash,
    state: 'CONTAINER_CREATED',
    createdAt: ctx.now,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    user: { uid, gid, supplementalGroups: [gid, ...c.supplementalGroups.filter((g) => g !== gid)] },
    podUid: sandbox.config.uid,
    config: c,
    argv,
    workingDir,
    env,
    stopSignal: c.stopSignal ?? image.stopSignal ?? 'SIGTERM',
  }
  containers(ctx).put(id, container)
  const view = { ...viewOf(ctx, container), readOnlyRoot: false, mounts: [] }
  for (const mount of c.mounts) {
    const parent = mount.containerPath.slice(0, mount.containerPath.lastIndexOf('/'))
    if (parent !== '') makeDirectory(view, parent, { parents: true })
  }
  makeDirectory(view, workingDir, { parents: true })
  if (c.terminationMessagePath.startsWith('/dev/') && c.terminationMessagePath !== '')
    writeFile(view, c.terminationMessagePath, '', { mode: 0o666 })
  ctx.record('cri.container.created', { container: id, name: c.name, uid: container.podUid, image: present.name }, podRef(ctx, container))
  notify(ctx, container.podUid)
  return ok({ id })
}

function startContainer(ctx: Context, { id }: { id: string }): Outcome {
  const container = containers(ctx).get(id)
  if (!container) return failed('NotFound', `an error occurred when try to find container "${id}": not found`)
  if (container.state !== 'CONTAINER_CREATED')
    return failed('Unknown', `failed to set starting state for container "${id}": container is in ${container.state} state`)
  const { argv, env, workingDir } = container
  let started = false
  const running: Container = { ...container, state: 'CONTAINER_RUNNING', startedAt: ctx.now }
  containers(ctx).put(id, running)
  const record = ctx.record(
    'cri.container.started',
    { container: id, name: container.name, uid: container.podUid, command: argv },
    podRef(ctx, container),
  )
  ctx.because(record)
  runContainer(ctx, id, (m) => {
    started =
      spawn(m, {
        parent: 0,
        argv,
        cwd: workingDir,
        uid: container.user.uid,
        gid: container.user.gid,
        environment: env,
        fds: [
          [0, { k: 'null' }],
          [1, { k: 'log', stream: 'stdout' }],
          [2, { k: 'log', stream: 'stderr' }],
        ],
      }) !== undefined
  })
  if (!started) {
    const message = `${RUNTIME_ERROR}${notFound(argv[0] ?? '')}`
    containers(ctx).put(id, { ...container, state: 'CONTAINER_RUNNING' })
    exited(ctx, id, 128, { reason: 'StartError', message })
    return failed('Unknown', message)
  }
  startSimulationProcess(ctx, running)
  armMemory(ctx, running)
  notify(ctx, container.podUid)
  return ok({})
}

/** A variable by which a container declares that it will run out of memory: `FAKE_OOM_AFTER=1s`. */
const OOM_VARIABLE = 'FAKE_OOM_AFTER'

function armMemory(ctx: Context, container: Container): void {
  const after = container.env.find(([name]) => name === OOM_VARIABLE)?.[1]
  const match = after === undefined ? null : /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(after)
  if (!match || containers(ctx).get(container.id)?.state !== 'CONTAINER_RUNNING') return
  ctx.setTimer(
    `oom/${container.id}`,
    Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'],
    'container.oom',
    container.id,
  )
}

function removeContainer(ctx: Context, container: Container): void {
  if (container.state === 'CONTAINER_RUNNING') exited(ctx, container.id, 137)
  ctx.record('cri.container.removed', { container: container.id, name: container.name, uid: container.podUid }, podRef(ctx, container))
  containers(ctx).delete(container.id)
  removeLog(ctx, container.id)
  removeLayer(files(ctx), `container/${container.id}`)
  notify(ctx, container.podUid)
}

const statusOf = (image: PresentImage): { id: string; repoTags: string[]; repoDigests: string[]; sizeBytes: number; user: string } => ({
  id: image.id,
  repoTags: image.name.includes('@') ? [] : [image.name],
  repoDigests: [image.repoDigest],
  sizeBytes: image.sizeBytes,
  user: image.user,
})

function presentImage(ctx: Context, reference: string): PresentImage | undefined {
  if (reference.startsWith('sha256:'))
    return images(ctx)
      .values()
      .find((i) => i.id === reference)
  const parsed = parseReference(reference)
  if (typeof parsed === 'string') return undefined
  return (
    images(ctx).get(fullName(parsed)) ??
    images(ctx)
      .values()
      .find((i) => i.repoDigest === reference)
  )
}

function addImage(ctx: Context, reference: string): PresentImage | undefined {
  const parsed = parseReference(reference)
  const found = typeof parsed === 'string' ? undefined : findImage(parsed)
  if (!found?.found) return undefined
  const image: PresentImage = {
    name: found.name,
    id: found.imageId,
    repoDigest: found.repoDigest,
    sizeBytes: found.image.sizeBytes,
    pulledAt: ctx.now,
    user: found.image.user,
  }
  images(ctx).put(image.name, image)
  return image
}

const PRESENT_FRACTION = 5

function pullImage(ctx: Context, { image }: { image: string }, call: number): Outcome {
  const parsed = parseReference(image)
  if (typeof parsed === 'string') return failed('Unknown', `failed to parse image reference "${image}": ${parsed}`)
  const found = findImage(parsed)
  const { registry } = config(ctx)
  const present = images(ctx).has(fullName(parsed))
  // What is there already costs only the question whether it is still the newest.
  const durationMs =
    'pullMs' in registry
      ? present
        ? registry.pullMs / PRESENT_FRACTION
        : registry.pullMs
      : found.found && !present
        ? registry.roundTripMs + (found.image.sizeBytes / registry.bytesPerSecond) * 1000
        : registry.roundTripMs
  const record = ctx.record('image.pull.started', {
    image: fullName(parsed),
    sizeBytes: found.found ? found.image.sizeBytes : 0,
    durationMs,
  })
  ctx.because(record)
  ctx.setTimer(`pull/${call}`, durationMs, 'image.pulled', { image, call })
  return undefined
}

function onPulled(ctx: Context, { image, call }: { image: string; call: number }): void {
  const parsed = parseReference(image)
  if (typeof parsed === 'string') return
  const found = findImage(parsed)
  if (!found.found) {
    ctx.record('image.pull.failed', { image: fullName(parsed), message: found.message })
    ctx.reply(call, failed(found.code, found.message), { ok: false })
    return
  }
  const present = addImage(ctx, image)
  ctx.record('image.pull.finished', { image: found.name, sizeBytes: found.image.sizeBytes })
  ctx.reply(call, ok({ imageRef: present?.repoDigest ?? '', sizeBytes: found.image.sizeBytes }))
}

export function podStatuses(ctx: Context, uids?: readonly string[]): RuntimePodStatus[] {
  const wanted = uids === undefined ? undefined : new Set(uids)
  const found = new Map<
    string,
    {
      uid: string
      name: string
      namespace: string
      sandboxes: RuntimePodStatus['sandboxes'][number][]
      containers: RuntimeContainerStatus[]
    }
  >()
  for (const s of sandboxes(ctx).values()) {
    const { uid, name, namespace } = s.config
    if (wanted && !wanted.has(uid)) continue
    const pod = found.get(uid) ?? { uid, name, namespace, sandboxes: [], containers: [] }
    pod.sandboxes.push({ id: s.id, attempt: s.attempt, state: s.state, createdAt: s.createdAt, ip: s.ip, hostNetwork: s.hostNetwork })
    found.set(uid, pod)
  }
  for (const c of containers(ctx).values()) {
    const pod = found.get(c.podUid)
    if (!pod) continue
    const {
      id,
      sandboxId,
      name,
      attempt,
      image,
      imageRef,
      imageId,
      hash,
      state,
      createdAt,
      startedAt,
      finishedAt,
      exitCode,
      reason,
      message,
      user,
    } = c
    pod.containers.push({
      id,
      sandboxId,
      name,
      attempt,
      image,
      imageRef,
      imageId,
      hash,
      state,
      createdAt,
      startedAt,
      finishedAt,
      exitCode,
      reason,
      message,
      user,
    })
  }
  for (const pod of found.values()) {
    pod.sandboxes.sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt)
    pod.containers.sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt || (a.id < b.id ? -1 : 1))
  }
  return [...found.keys()].sort().map((uid) => found.get(uid) as RuntimePodStatus)
}

function handle(ctx: Context, method: keyof CriMethods, request: unknown, call: number): void {
  const outcome = (METHODS[method] as (ctx: Context, request: unknown, call: number) => Outcome)(ctx, request, call)
  if (outcome) ctx.reply(call, outcome, { ok: outcome.ok })
}

const handlers: Record<string, (ctx: Context, payload: never, delivery: Delivery) => void> = {}
for (const method of Object.keys(METHODS) as (keyof CriMethods)[]) {
  handlers[`cri.${method}`] = (ctx, request, delivery) => {
    if (delivery.call === undefined) return
    if (!ctx.table<boolean>('recovery').has('done')) {
      ctx.setTimer(`cri/${delivery.call}`, RECOVERY_POLL_MS, 'cri.work', { method, request, call: delivery.call })
      return
    }
    const latency = LATENCY_MS[method]
    if (latency === undefined) handle(ctx, method, request, delivery.call)
    else
      ctx.setTimer(`cri/${delivery.call}`, latency * (0.8 + 0.4 * ctx.random('latency')), 'cri.work', {
        method,
        request,
        call: delivery.call,
      })
  }
}

/** Directories that every machine has. */
const HOST_DIRECTORIES = new Set([
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/etc/cni',
  '/etc/cni/net.d',
  '/etc/kubernetes',
  '/etc/ssl',
  '/etc/ssl/certs',
  '/home',
  '/lib',
  '/lib/modules',
  '/media',
  '/mnt',
  '/opt',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/srv',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  '/var/lib',
  '/var/lib/kubelet',
  '/var/log',
  '/var/log/pods',
  '/var/run',
  '/var/tmp',
])

/** Calls that come before containerd knows what became of its containers wait this long. */
const RECOVERY_POLL_MS = 1
/** containerd's exit code for a container of which nobody saw the end (pkg/cri/server/restart.go). */
const UNKNOWN_EXIT_CODE = 255

/** After a start of the machine nothing of what ran before runs; after a start of containerd alone everything does. */
function onBoot(ctx: Context, result: CallResult<{ at: number }>): void {
  const boot = ctx.table<number>('host')
  const at = result.form === 'response' ? result.value.at : (boot.get('bootedAt') ?? 0)
  const rebooted = boot.get('bootedAt') !== undefined && boot.get('bootedAt') !== at
  boot.put('bootedAt', at)
  ctx.table<boolean>('recovery').put('done', true)
  if (!rebooted) {
    rearm(ctx)
    return
  }
  for (const container of containers(ctx).values())
    if (container.state === 'CONTAINER_RUNNING') exited(ctx, container.id, UNKNOWN_EXIT_CODE, { reason: 'Unknown', message: '' })
  for (const sandbox of sandboxes(ctx).values()) {
    if (sandbox.state === 'SANDBOX_NOTREADY') continue
    if (sandbox.lease) cni.release(ctx, sandbox.id)
    sandboxes(ctx).put(sandbox.id, { ...sandbox, state: 'SANDBOX_NOTREADY', lease: false })
    notify(ctx, sandbox.config.uid)
  }
}

/** Writes what the kubelet prepares for a volume; `replace`: the directory's former content goes. */
function writeHost(ctx: Context, work: { directory: string; files: readonly HostFile[]; replace: boolean; create?: string }): void {
  const table = files(ctx)
  const base = work.directory.replace(/\/+$/, '')
  if (work.replace) {
    const keep = new Set(work.files.map((f) => layerKey('host', `${base}/${f.path}`)))
    for (const key of table.keysWithPrefix(layerKey('host', `${base}/`))) if (!keep.has(key)) table.delete(key)
  }
  let parent = ''
  for (const part of base.split('/').slice(1)) {
    parent += `/${part}`
    if (!table.has(layerKey('host', parent)))
      table.put(layerKey('host', parent), { type: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: ctx.now })
  }
  if (work.create !== undefined && !table.has(layerKey('host', `${base}/${work.create}`)))
    table.put(layerKey('host', `${base}/${work.create}`), { type: 'file', content: '', mode: 0o644, uid: 0, gid: 0, mtime: ctx.now })
  for (const file of work.files) {
    const path = file.path === '' ? base : `${base}/${file.path}`
    let above = base
    for (const part of file.path.split('/').slice(0, -1)) {
      above += `/${part}`
      if (!table.has(layerKey('host', above)))
        table.put(layerKey('host', above), { type: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: ctx.now })
    }
    const key = layerKey('host', path)
    if (file.link !== undefined) table.put(key, { type: 'link', target: file.link, mtime: ctx.now })
    else if (file.content === undefined) {
      if (!table.has(key) || file.path === '') table.put(key, { type: 'dir', mode: file.mode, uid: 0, gid: file.gid ?? 0, mtime: ctx.now })
    } else table.put(key, { type: 'file', content: file.content, mode: file.mode, uid: 0, gid: file.gid ?? 0, mtime: ctx.now })
  }
}

export const containerdType: ComponentType = {
  type: 'containerd',
  durable: DURABLE,
  start(ctx) {
    for (const reference of config(ctx).images) {
      const parsed = parseReference(reference)
      if (typeof parsed !== 'string' && !images(ctx).has(fullName(parsed))) addImage(ctx, reference)
    }
    ctx.call(`kernel/${config(ctx).node}`, 'kernel.boot', null, {
      then: { kind: 'containerd.boot' },
      flow: 'control',
      summary: 'boot time',
      timeoutMs: 1000,
    })
  },
  handlers: {
    ...handlers,
    'containerd.boot': onBoot as never,
    'cri.work': (ctx, work: { method: keyof CriMethods; request: unknown; call: number }) =>
      handle(ctx, work.method, work.request, work.call),
    'container.run': (ctx, id: string) => runContainer(ctx, id),
    'container.kill': (ctx, id: string) => {
      const container = containers(ctx).get(id)
      if (container?.state !== 'CONTAINER_RUNNING') return
      ctx.foreground()
      signalContainer(ctx, id, 'KILL')
    },
    'container.oom': (ctx, id: string) => {
      const container = containers(ctx).get(id)
      if (container?.state !== 'CONTAINER_RUNNING') return
      containers(ctx).put(id, { ...container, oomKilled: true })
      signalContainer(ctx, id, 'KILL')
    },
    'exec.timeout': (ctx, { session, timeoutSeconds }: { session: string; timeoutSeconds: number }) => {
      const s = sessions(ctx).get(session)
      if (!s) return
      failSession(ctx, s, 'DeadlineExceeded', `command timed out: "${s.command.join(' ')}" timed out after ${timeoutSeconds}s`)
      runContainer(ctx, s.container, (m) => {
        for (const [pid, r] of m.running) if (r.proc.session === session) m.running.delete(pid)
      })
    },
    'image.pulled': onPulled,
    'network.local': onLocalAnswer as never,
    'network.answered': onNetworkAnswer as never,
    'pod.connect': (ctx, request: PodConnect, delivery) => {
      if (delivery.call !== undefined) ctx.reply(delivery.call, answerConnection(ctx, request))
    },
    'host.write': (ctx, work: { directory: string; files: readonly HostFile[]; replace: boolean }, delivery) => {
      writeHost(ctx, work)
      if (delivery.call !== undefined) ctx.reply(delivery.call, ok({}))
    },
    'host.stat': (ctx, { path }: { path: string }, delivery) => {
      const node = files(ctx).get(layerKey('host', path.replace(/\/+$/, '') || '/'))
      const type =
        node === undefined || node.type === 'gone' ? (HOST_DIRECTORIES.has(path.replace(/\/+$/, '') || '/') ? 'dir' : 'none') : node.type
      if (delivery.call !== undefined) ctx.reply(delivery.call, ok({ type }))
    },
    'host.remove': (ctx, { directory }: { directory: string }, delivery) => {
      const base = directory.replace(/\/+$/, '')
      for (const key of files(ctx).keysWithPrefix(layerKey('host', `${base}/`))) files(ctx).delete(key)
      files(ctx).delete(layerKey('host', base))
      if (delivery.call !== undefined) ctx.reply(delivery.call, ok({}))
    },
    'log.read': (ctx, request: { id: string; options: LogOptions; follow: boolean }, delivery) => {
      if (delivery.call === undefined) return
      if (request.follow) follow(ctx, delivery.call, request.id, request.options)
      else ctx.reply(delivery.call, ok({ text: readLog(ctx, request.id, request.options).text }))
    },
    /** A CNI agent has put its configuration into /etc/cni/net.d. */
    'cni.install': (ctx, { podCIDR }: { podCIDR: string }, delivery) => {
      installNetwork(ctx, podCIDR)
      if (delivery.call !== undefined) ctx.reply(delivery.call, ok({}))
    },
    /** A fault: the first process of a container is killed. */
    'runtime.kill': (ctx, target: { namespace: string; pod: string; container: string; signal?: string }) => {
      for (const c of containers(ctx).values()) {
        const sandbox = sandboxes(ctx).get(c.sandboxId)
        if (
          c.state === 'CONTAINER_RUNNING' &&
          c.name === target.container &&
          sandbox?.config.namespace === target.namespace &&
          sandbox.config.name === target.pod
        )
          signalContainer(ctx, c.id, target.signal ?? 'KILL')
      }
    },
    /** A process of the simulation ended by itself. */
    'process.exited': (ctx, { id, code }: { id: string; code: number }) => {
      for (const c of containers(ctx).values())
        if (c.state === 'CONTAINER_RUNNING' && simulationProcess(ctx, c)?.id === id) exited(ctx, c.id, code)
    },
    'net.closed': (ctx, { call }: { call: number }) => {
      followers(ctx).delete(String(call))
    },
  },
}

export const defaultContainerdConfig = (node: string, nodeIP: string): ContainerdConfig => ({
  node,
  nodeIP,
  kubelet: `kubelet/${node}`,
  registry: { pullMs: 300 },
  images: [],
  cni: 'runtime-config',
  processes: {},
})
