// Joins a container's processes with the world: runs them when they can run, arms the timer for the next wake-up, and notices exits.
import { EPOCH_MS } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { ObjectRef } from '../../api/types/object.ts'
import type { CriReply, ExecResult, PodConnectReply } from './cri.ts'
import { type FileNode, type FileView, lookup, type Mount, readFile } from './filesystem.ts'
import { PROGRAMS } from './images/programs.ts'
import { findImage } from './images/registry.ts'
import { parseReference } from './images/reference.ts'
import { imageFiles } from './images/rootfs.ts'
import type { Image, Listener, Program } from './images/types.ts'
import { appendLog, closeLog, endFollowers, logTail } from './logs.ts'
import { connectOut } from './network.ts'
import {
  closeMachine,
  emptyTree,
  type Machine,
  nextWake,
  openMachine,
  type ProgramStart,
  run,
  signal,
  type Surroundings,
} from './shell/machine.ts'
import type { ProcessTree } from './shell/process.ts'
import { config, type Container, containers, type ExecSession, files, sandboxes, sessions, stopping, trees } from './state.ts'

/** A script that wakes up this often keeps the cluster from being quiet no longer: it is a service, not a task. */
const FOREGROUND_WAKES = 20
/** Longer sleeps do not keep the cluster busy either. */
const FOREGROUND_SLEEP_MS = 60_000
/** The most that a termination message may be (pkg/kubelet/container/runtime.go MaxContainerTerminationMessageLength). */
const TERMINATION_MESSAGE_BYTES = 4096

const imageCache = new Map<string, Image>()

/** The image of a container; the registry's data, whether or not the registry can be reached. */
export function imageOf(reference: string): Image {
  let image = imageCache.get(reference)
  if (!image) {
    const parsed = parseReference(reference)
    const found = typeof parsed === 'string' ? undefined : findImage(parsed)
    if (!found?.found) throw new Error(`image ${reference} is on a node but in no registry`)
    image = found.image
    imageCache.set(reference, image)
  }
  return image
}

export function podRef(ctx: Context, container: Container): ObjectRef {
  const sandbox = sandboxes(ctx).get(container.sandboxId)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: sandbox?.config.namespace ?? '',
    name: sandbox?.config.name ?? '',
    uid: container.podUid,
  }
}

/** Directory of the host that the kubelet prepared → layer of the file system. */
export function mountsOf(container: Container): Mount[] {
  return container.config.mounts.map((m) => ({
    path: m.containerPath.replace(/\/+$/, '') || '/',
    layer: 'host',
    sub: m.hostPath.replace(/\/+$/, ''),
    readOnly: m.readOnly,
  }))
}

export function viewOf(ctx: Context, container: Container): FileView {
  return {
    files: files(ctx),
    layer: `container/${container.id}`,
    image: imageFiles(imageOf(container.image)),
    mounts: mountsOf(container),
    readOnlyRoot: container.config.readOnlyRootFilesystem,
    now: ctx.now,
    virtual: (path) => virtualFile(ctx, container, path),
  }
}

function virtualFile(ctx: Context, container: Container, path: string): FileNode | undefined {
  if (!path.startsWith('/proc/') && path !== '/etc/hostname') return undefined
  const file = (content: string): FileNode => ({ type: 'file', content, mode: 0o444, uid: 0, gid: 0, mtime: 0 })
  const sandbox = sandboxes(ctx).get(container.sandboxId)
  if (path === '/etc/hostname') return file(`${sandbox?.config.hostname ?? ''}\n`)
  const process = /^\/proc\/(\d+|self)(?:\/(\w+))?$/.exec(path)
  if (process) {
    if (process[2] === undefined) return { type: 'dir', mode: 0o555, uid: 0, gid: 0, mtime: 0 }
    const pid = process[1] === 'self' ? 1 : Number(process[1])
    const proc = trees(ctx)
      .get(container.id)
      ?.processes.find((p) => p.pid === pid)
    if (process[2] === 'environ') return file(container.env.map(([n, v]) => `${n}=${v}\0`).join(''))
    if (process[2] === 'cmdline') return file((pid === 1 ? container.argv : (proc?.argv ?? [])).map((a) => `${a}\0`).join(''))
    if (process[2] === 'comm') return file(`${(pid === 1 ? container.argv : (proc?.argv ?? []))[0]?.split('/').at(-1) ?? ''}\n`)
    return undefined
  }
  if (path === '/proc/uptime') return file(`${((ctx.now + 600_000) / 1000).toFixed(2)} 0.00\n`)
  if (path === '/proc/loadavg') return file('0.05 0.04 0.01 1/200 100\n')
  return undefined
}

const programOf = (image: Image, command: string): string | undefined =>
  image.programs.find((name) => PROGRAMS[name]?.commands.includes(command)) ?? (image.anything ? 'app' : undefined)

export const program = (name: string): Program => PROGRAMS[name] as Program

function startProgram(
  image: Image,
  command: string,
  argv: readonly string[],
  environment: ReadonlyMap<string, string>,
): ProgramStart | undefined {
  // An entry point script hands over to the command that it is given.
  const wrapper =
    /(^|\/)(docker-entrypoint|entrypoint)\.sh$/.test(command) && argv.length > 1
      ? programOf({ ...image, anything: undefined } as unknown as Image, argv[1] as string)
      : undefined
  const name = wrapper ?? programOf(image, command)
  if (name === undefined) return undefined
  const p = program(name)
  for (const printed of p.prints ?? [])
    if (printed.arguments.every((a, i) => argv[i + 1] === a)) return { kind: 'exit', code: 0, stdout: printed.stdout }
  if (p.requires && !p.requires.anyOf.some((v) => (environment.get(v) ?? '') !== ''))
    return { kind: 'exit', code: p.requires.code, stderr: p.requires.stderr }
  return { kind: 'program', name }
}

/** Whether a command is a tool that an entry point script would simply run: `["docker-entrypoint.sh", "sh", "-c", …]`. */
const entrypointScript = (command: string): boolean => /(^|\/)(docker-)?entrypoint\.sh$/.test(command)

function surroundings(ctx: Context, container: Container): Surroundings {
  const image = imageOf(container.image)
  return {
    now: ctx.now,
    view: viewOf(ctx, container),
    log: (stream, text) => appendLog(ctx, container.id, stream, text),
    session: (id, stream, text) => {
      const session = sessions(ctx).get(id)
      if (session) sessions(ctx).put(id, { ...session, [stream]: session[stream] + text })
    },
    program: (command, argv, environment) => {
      if (
        entrypointScript(command) &&
        argv.length > 1 &&
        !programOf({ ...image, anything: undefined } as unknown as Image, argv[1] as string) &&
        image.hasTools
      )
        return undefined
      return startProgram(image, command, argv, environment)
    },
    programStep: (p, environment) => {
      const behaviour = program(p.name)
      const elapsed = ctx.now - p.since
      const due = behaviour.lines.slice(p.lines).filter((l) => l.afterMs <= elapsed)
      const written = p.lines + due.length
      const nextLine = behaviour.lines[written]
      const wakes = [
        nextLine?.afterMs,
        behaviour.ends?.afterMs,
        elapsed < behaviour.readyAfterMs ? behaviour.readyAfterMs : undefined,
      ].filter((t): t is number => t !== undefined)
      void environment
      return {
        writes: due.map((l) => ({ stream: l.stream ?? 'stdout', text: `${l.text}\n` })),
        lines: written,
        ...(behaviour.ends && elapsed >= behaviour.ends.afterMs ? { exit: behaviour.ends.code } : {}),
        ...(wakes.length === 0 ? {} : { next: p.since + Math.min(...wakes) }),
      }
    },
    programSignal: (p, name) => {
      const behaviour = program(p.name)
      return ['TERM', 'INT', 'QUIT', 'WINCH', 'HUP'].includes(name) ? (name === 'HUP' ? 'ignore' : behaviour.onTerm) : undefined
    },
    hasTools: image.hasTools,
    hostname: () => sandboxes(ctx).get(container.sandboxId)?.config.hostname ?? '',
    connect: (request, pid) => connectOut(ctx, container, request, pid),
    random: () => ctx.random('scripts'),
  }
}

/** Runs a container's processes; `act` may first do something to them (spawn, signal, answer). */
export function runContainer(ctx: Context, id: string, act?: (m: Machine) => void): void {
  const container = containers(ctx).get(id)
  if (!container || container.state === 'CONTAINER_EXITED') return
  const m = openMachine(trees(ctx).get(id) ?? emptyTree(id), surroundings(ctx, container))
  act?.(m)
  if (!m.exit) run(m)
  for (const [session, code] of m.sessionsEnded) endSession(ctx, session, code)
  if (m.exit) {
    exited(ctx, id, m.exit.code)
    return
  }
  const tree = closeMachine(m)
  trees(ctx).put(id, tree)
  arm(ctx, id, tree)
}

function arm(ctx: Context, id: string, tree: ProcessTree): void {
  const wake = nextWake(tree)
  if (wake === undefined) {
    ctx.cancelTimer(`run/${id}`)
    return
  }
  const wakes = ctx.table<number>('wakes')
  const n = (wakes.get(id) ?? 0) + 1
  wakes.put(id, n)
  ctx.setTimer(`run/${id}`, Math.max(0, wake - ctx.now), 'container.run', id, {
    periodic: n > FOREGROUND_WAKES || wake - ctx.now > FOREGROUND_SLEEP_MS,
  })
}

/** After a restart of containerd: its containers' processes went on meanwhile. */
export function rearm(ctx: Context): void {
  for (const [id, tree] of trees(ctx).entries()) arm(ctx, id, tree)
}

export function signalContainer(ctx: Context, id: string, name: string): void {
  const container = containers(ctx).get(id)
  if (container?.state !== 'CONTAINER_RUNNING') return
  ctx.record(
    'cri.container.signalled',
    { container: id, name: container.name, uid: container.podUid, signal: `SIG${name}` },
    podRef(ctx, container),
  )
  runContainer(ctx, id, (m) => signal(m, 1, name))
}

export function endSession(ctx: Context, id: string, exitCode: number): void {
  const session = sessions(ctx).get(id)
  if (!session) return
  sessions(ctx).delete(id)
  ctx.cancelTimer(`exec/${id}`)
  const container = containers(ctx).get(session.container)
  ctx.record(
    'cri.exec.ended',
    { container: session.container, name: container?.name ?? '', command: session.command, exitCode },
    container ? podRef(ctx, container) : undefined,
  )
  const reply: CriReply<ExecResult> = { ok: true, value: { stdout: session.stdout, stderr: session.stderr, exitCode } }
  ctx.reply(session.call, reply, { ok: exitCode === 0 })
}

export function failSession(ctx: Context, session: ExecSession, code: 'DeadlineExceeded' | 'Unknown', message: string): void {
  sessions(ctx).delete(session.id)
  const reply: CriReply = { ok: false, error: { code, message } }
  ctx.reply(session.call, reply, { ok: false })
}

/** The first process ended, and with it the container. */
export function exited(ctx: Context, id: string, code: number, how: { reason?: string; message?: string } = {}): void {
  const container = containers(ctx).get(id)
  if (!container || container.state === 'CONTAINER_EXITED') return
  ctx.foreground()
  for (const session of sessions(ctx).values()) if (session.container === id) endSession(ctx, session.id, 137)
  trees(ctx).delete(id)
  ctx.table<number>('wakes').delete(id)
  ctx.cancelTimer(`run/${id}`)
  ctx.cancelTimer(`oom/${id}`)
  closeLog(ctx, id)
  const reason = how.reason ?? (container.oomKilled ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error')
  const message = how.message ?? terminationMessage(ctx, container, code)
  const record = ctx.record(
    'cri.container.exited',
    { container: id, name: container.name, uid: container.podUid, exitCode: code, reason },
    podRef(ctx, container),
  )
  ctx.because(record)
  containers(ctx).put(id, { ...container, state: 'CONTAINER_EXITED', exitCode: code, reason, message, finishedAt: ctx.now })
  stopSimulationProcess(ctx, container)
  endFollowers(ctx, id)
  ctx.cancelTimer(`kill/${id}`)
  const waiting = stopping(ctx).get(id)
  if (waiting) {
    stopping(ctx).delete(id)
    for (const call of waiting.calls) ctx.reply(call, { ok: true, value: {} })
  }
  notify(ctx, container.podUid)
}

function terminationMessage(ctx: Context, container: Container, code: number): string {
  const path = container.config.terminationMessagePath
  let text = ''
  try {
    const view = viewOf(ctx, container)
    if (path !== '' && lookup(view, path)?.type === 'file') text = readFile(view, path)
  } catch {
    text = ''
  }
  if (text.length > TERMINATION_MESSAGE_BYTES) text = text.slice(0, TERMINATION_MESSAGE_BYTES)
  if (text === '' && container.config.terminationMessagePolicy === 'FallbackToLogsOnError' && code !== 0) text = logTail(ctx, container.id)
  return text
}

/** Tells the kubelet that something about a pod changed. */
export function notify(ctx: Context, uid: string): void {
  ctx.send(config(ctx).kubelet, 'cri.event', { uid }, { flow: 'control', summary: 'container event' })
}

/** Processes of the simulation that this container runs, by the programs of its process tree. */
export function simulationProcess(ctx: Context, container: Container): { id: string; type: string; settings: object } | undefined {
  const image = imageOf(container.image)
  const command = container.argv[0] ?? ''
  const name = programOf(image, command)
  const behaviour = name === undefined ? undefined : PROGRAMS[name]
  if (!behaviour?.process) return undefined
  const { type, idPrefix, idFrom } = behaviour.process
  const settings = Object.hasOwn(config(ctx).processes, type) ? config(ctx).processes[type] : undefined
  if (settings === undefined) return undefined
  const sandbox = sandboxes(ctx).get(container.sandboxId)
  return {
    id: `${idPrefix}/${idFrom === 'node' ? config(ctx).node : (sandbox?.config.name ?? '')}`,
    type: (settings as { processType?: string }).processType ?? type,
    settings,
  }
}

export function startSimulationProcess(ctx: Context, container: Container): void {
  const process = simulationProcess(ctx, container)
  if (!process) return
  const sandbox = sandboxes(ctx).get(container.sandboxId)
  const pod = { uid: container.podUid, name: sandbox?.config.name ?? '', namespace: sandbox?.config.namespace ?? '', ip: sandbox?.ip ?? '' }
  ctx.startProcess({
    id: process.id,
    type: process.type,
    host: config(ctx).node,
    config: { ...process.settings, node: config(ctx).node, pod, argv: container.argv },
  })
}

function stopSimulationProcess(ctx: Context, container: Container): void {
  const process = simulationProcess(ctx, container)
  if (process) ctx.stopProcess(process.id, 'its container ended')
}

/** What listens in a container now. */
export function listeners(ctx: Context, container: Container): { listener: Listener; port: number; since: number; name: string }[] {
  const tree = trees(ctx).get(container.id)
  if (container.state !== 'CONTAINER_RUNNING' || !tree) return []
  return tree.processes.flatMap((p) => {
    if (!p.program || p.program.stopping) return []
    const behaviour = program(p.program.name)
    if (ctx.now - p.program.since < behaviour.readyAfterMs) return []
    const { since, name } = p.program
    return behaviour.listens.map((listener) => ({
      listener,
      port: portOf(listener, p.argv, new Map(p.variables.map((v) => [v.name, v.value]))),
      since,
      name,
    }))
  })
}

function portOf(listener: Listener, argv: readonly string[], environment: ReadonlyMap<string, string>): number {
  const { env, argument } = listener.portFrom ?? {}
  if (argument !== undefined)
    for (const [i, a] of argv.entries()) {
      const value = a.startsWith(`${argument}=`) ? a.slice(argument.length + 1) : a === argument ? (argv[i + 1] ?? '') : ''
      const port = Number(/\d+$/.exec(value)?.[0] ?? 0)
      if (port > 0) return port
    }
  if (env !== undefined && Number(environment.get(env) ?? 0) > 0) return Number(environment.get(env))
  return listener.port
}

/** Answers a connection to an address on this node. */
export function answerConnection(
  ctx: Context,
  request: { ip: string; port: number; protocol: string; path?: string; method?: string; body?: string; host?: string },
): PodConnectReply {
  const here = sandboxes(ctx)
    .values()
    .filter(
      (s) =>
        s.state === 'SANDBOX_READY' &&
        (s.hostNetwork ? request.ip === config(ctx).nodeIP || request.ip === '127.0.0.1' : s.ip === request.ip),
    )
  if (here.length === 0 && request.ip !== config(ctx).nodeIP) return { connected: false, error: 'no route to host' }
  for (const sandbox of here)
    for (const container of containers(ctx).values()) {
      if (container.sandboxId !== sandbox.id) continue
      for (const { listener, port } of listeners(ctx, container)) {
        if (port !== request.port || listener.protocol === 'udp') continue
        const by = { namespace: sandbox.config.namespace, pod: sandbox.config.name, container: container.name }
        if (request.protocol === 'tcp') return { connected: true, by }
        const plain = request.protocol === 'https' && listener.protocol === 'http'
        if (listener.protocol === 'tcp') return { connected: true, by }
        if (listener.protocol === 'grpc' || request.protocol === 'grpc')
          return { connected: true, by, ...(listener.protocol === 'grpc' ? {} : { plain: true }) }
        return { connected: true, by, ...(plain ? { plain: true } : {}), http: httpAnswer(ctx, container, listener, request) }
      }
    }
  return { connected: false, error: 'connection refused' }
}

function httpAnswer(
  ctx: Context,
  container: Container,
  listener: Listener,
  request: { path?: string; method?: string; body?: string; host?: string },
): { status: number; body: string; contentType: string } {
  const path = (request.path ?? '/').split('?')[0] as string
  const hostname = sandboxes(ctx).get(container.sandboxId)?.config.hostname ?? ''
  if (listener.echo)
    return {
      status: 200,
      body: `Request served by ${hostname}\n\n${request.method ?? 'GET'} ${request.path ?? '/'} HTTP/1.1\n\n${request.body ?? ''}`,
      contentType: 'text/plain',
    }
  for (const route of listener.routes ?? []) {
    if (route.path === path || (route.path.endsWith('*') && path.startsWith(route.path.slice(0, -1))))
      return { status: route.status, body: route.body.replaceAll('${HOSTNAME}', hostname), contentType: route.contentType ?? 'text/plain' }
  }
  return { status: 404, body: '404 page not found\n', contentType: 'text/plain' }
}

export const wallTime = (ctx: Context): number => EPOCH_MS + ctx.now
