// Probes (pkg/kubelet/prober): one worker per container and kind, each with its own ticker.
import type { Container, ContainerStatus, Pod, PodStatus, Probe } from '../../api/types/kubernetes.gen.ts'
import { parseApiTime } from '../../client/time.ts'
import type { Context } from '../../net/context.ts'
import type { Table } from '../../engine/types.ts'
import { connectTo, portNumber } from './connect.ts'
import { MAX_PROBE_RETRIES } from './config.ts'
import { containerEvent } from './events.ts'
import { containerSpecs, findSpec, isRestartableInit, isTerminalPhase, nameOf, namespaceOf, specOf, uidOf } from './pod-util.ts'
import type { ContainerSpec, ProbeOutcome, ProbeType, ProbeWorker } from './types.ts'
import { cri, once, type Work } from './workflow.ts'

export interface ProberHooks {
  pod(ctx: Context, uid: string): Pod | undefined
  status(ctx: Context, uid: string): PodStatus | undefined
  run(ctx: Context, id: string, args: ProbeArgs): void
  cancel(ctx: Context, id: string): void
  /** A result changed what the kubelet knows about a container. */
  onResult(ctx: Context, uid: string, type: ProbeType, containerId: string, outcome: ProbeOutcome): void
  kubeletStartedAt(ctx: Context): number
}

export interface ProbeArgs {
  readonly worker: string
  readonly pod: Pod
  readonly container: string
  readonly type: ProbeType
  readonly containerId: string
  readonly podIP: string
}

interface ProbeResult {
  readonly outcome: ProbeOutcome | 'warning'
  readonly output: string
}

const TYPES: readonly ProbeType[] = ['startup', 'readiness', 'liveness']
const TITLE: Readonly<Record<ProbeType, string>> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' }
const INITIAL: Readonly<Record<ProbeType, ProbeOutcome>> = { startup: 'unknown', liveness: 'success', readiness: 'failure' }

const workers = (ctx: Context): Table<ProbeWorker> => ctx.table('probe-workers')
const results = (ctx: Context): Table<ProbeOutcome> => ctx.table('probe-results')

const workerKey = (uid: string, container: string, type: ProbeType): string => `${uid}/${container}/${type}`
const bare = (containerId: string): string => containerId.replace(/^containerd:\/\//, '')

/** What is known of a container: undefined before its first probe worker saw it. */
export const probeResult = (ctx: Context, type: ProbeType, containerId: string): ProbeOutcome | undefined =>
  results(ctx).get(`${type}/${bare(containerId)}`)

function probeOf(container: Container, type: ProbeType): Probe | undefined {
  return type === 'startup' ? container.startupProbe : type === 'liveness' ? container.livenessProbe : container.readinessProbe
}

export interface Prober {
  addPod(ctx: Context, pod: Pod): void
  stopLivenessAndStartup(ctx: Context, pod: Pod): void
  removePod(ctx: Context, uid: string): void
  updateStatus(ctx: Context, pod: Pod, status: PodStatus): PodStatus
  probe(args: ProbeArgs): Work<ProbeResult>
  finished(ctx: Context, args: ProbeArgs, result: ProbeResult): void
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never) => void>>
}

export function createProber(hooks: ProberHooks): Prober {
  const set = (ctx: Context, w: ProbeWorker, outcome: ProbeOutcome): void => {
    const key = `${w.type}/${bare(w.containerId)}`
    const before = results(ctx).get(key)
    if (before === outcome) return
    results(ctx).put(key, outcome)
    hooks.onResult(ctx, w.uid, w.type, w.containerId, outcome)
  }
  const tick = (ctx: Context, key: string): void => {
    const w = workers(ctx).get(key)
    if (!w) return
    const spec = specFor(ctx, w)
    const probe = spec ? probeOf(spec.container, w.type) : undefined
    if (!spec || !probe) return
    ctx.setTimer(`probe/${key}`, (probe.periodSeconds ?? 10) * 1000, 'probe.tick', key, { periodic: true })
    doProbe(ctx, key)
  }
  const specFor = (ctx: Context, w: ProbeWorker): ContainerSpec | undefined => {
    const pod = hooks.pod(ctx, w.uid)
    return pod ? findSpec(pod, w.container) : undefined
  }
  const remove = (ctx: Context, key: string): void => {
    const w = workers(ctx).get(key)
    if (!w) return
    workers(ctx).delete(key)
    ctx.cancelTimer(`probe/${key}`)
    hooks.cancel(ctx, `probe/${key}`)
    results(ctx).delete(`${w.type}/${bare(w.containerId)}`)
  }
  /** worker.go doProbe. */
  const doProbe = (ctx: Context, key: string): void => {
    let w = workers(ctx).get(key)
    if (!w) return
    const pod = hooks.pod(ctx, w.uid)
    const status = hooks.status(ctx, w.uid)
    if (!pod || !status) return
    if (isTerminalPhase(status.phase)) {
      remove(ctx, key)
      return
    }
    const c = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find((x) => x.name === w?.container)
    if (!c?.containerID) return
    if (w.containerId !== c.containerID) {
      if (w.containerId !== '') results(ctx).delete(`${w.type}/${bare(w.containerId)}`)
      w = { ...w, containerId: c.containerID, onHold: false, run: 0 }
      delete (w as { last?: unknown }).last
      workers(ctx).put(key, w)
      results(ctx).put(`${w.type}/${bare(w.containerId)}`, INITIAL[w.type])
    }
    if (w.onHold) return
    if (!c.state?.running) {
      set(ctx, w, 'failure')
      const over =
        c.state?.terminated !== undefined &&
        specOf(pod).restartPolicy === 'Never' &&
        !isRestartableInit((findSpec(pod, w.container) as ContainerSpec).container)
      if (over) remove(ctx, key)
      return
    }
    if (pod.metadata.deletionTimestamp && w.type !== 'readiness') {
      set(ctx, w, 'success')
      remove(ctx, key)
      return
    }
    const spec = findSpec(pod, w.container) as ContainerSpec
    const probe = probeOf(spec.container, w.type) as Probe
    const started = parseApiTime(c.state.running.startedAt as string) ?? 0
    if (Math.trunc((ctx.now - started) / 1000) < (probe.initialDelaySeconds ?? 0)) return
    if (c.started) {
      if (w.type === 'startup') return
    } else if (w.type !== 'startup') return
    if (w.busy) {
      workers(ctx).put(key, { ...w, again: true })
      return
    }
    workers(ctx).put(key, { ...w, busy: true, again: false })
    hooks.run(ctx, `probe/${key}`, {
      worker: key,
      pod,
      container: w.container,
      type: w.type,
      containerId: w.containerId,
      podIP: status.podIP ?? '',
    })
  }
  return {
    addPod(ctx, pod) {
      for (const spec of containerSpecs(pod)) {
        if (spec.kind === 'ephemeral' || (spec.kind === 'init' && !isRestartableInit(spec.container))) continue
        for (const type of TYPES) {
          const key = workerKey(uidOf(pod), spec.container.name, type)
          const probe = probeOf(spec.container, type)
          if (!probe || workers(ctx).has(key)) continue
          workers(ctx).put(key, {
            uid: uidOf(pod),
            container: spec.container.name,
            type,
            containerId: '',
            onHold: false,
            run: 0,
            busy: false,
            again: false,
          })
          const period = (probe.periodSeconds ?? 10) * 1000
          // Only a kubelet that has just started spreads its probes.
          const delay = ctx.now - hooks.kubeletStartedAt(ctx) < period ? ctx.random('probes') * period : 0
          ctx.setTimer(`probe/${key}`, delay, 'probe.tick', key, { periodic: true })
        }
      }
    },
    stopLivenessAndStartup(ctx, pod) {
      for (const key of workers(ctx).keysWithPrefix(`${uidOf(pod)}/`)) if (workers(ctx).get(key)?.type !== 'readiness') remove(ctx, key)
    },
    removePod(ctx, uid) {
      for (const key of workers(ctx).keysWithPrefix(`${uid}/`)) remove(ctx, key)
    },
    updateStatus(ctx, pod, status) {
      const started = (c: ContainerStatus): boolean => {
        if (!c.state?.running) return false
        const result = probeResult(ctx, 'startup', c.containerID ?? '')
        if (result !== undefined) return result === 'success'
        return !workers(ctx).has(workerKey(uidOf(pod), c.name, 'startup'))
      }
      const ready = (c: ContainerStatus): boolean => {
        if (!c.state?.running) return false
        if (probeResult(ctx, 'readiness', c.containerID ?? '') === 'success') return true
        const key = workerKey(uidOf(pod), c.name, 'readiness')
        if (!workers(ctx).has(key)) return true
        // A check that has not succeeded yet is made at once.
        ctx.next('probe.now', key)
        return false
      }
      const containerStatuses = (status.containerStatuses ?? []).map((c) => {
        const isStarted = started(c)
        return { ...c, started: isStarted, ready: isStarted && ready(c) }
      })
      const init = status.initContainerStatuses?.map((c) => {
        const isStarted = started(c)
        const spec = specOf(pod).initContainers?.find((x) => x.name === c.name)
        if (!spec || !isRestartableInit(spec))
          return { ...c, started: isStarted, ready: c.state?.terminated?.exitCode === 0 && c.state.terminated !== undefined }
        return { ...c, started: isStarted, ready: isStarted && ready(c) }
      })
      return { ...status, containerStatuses, ...(init ? { initContainerStatuses: init } : {}) }
    },
    probe: runProbe,
    finished(ctx, args, result) {
      const w = workers(ctx).get(args.worker)
      if (!w) return
      const outcome: ProbeOutcome = result.outcome === 'warning' ? 'success' : result.outcome
      const spec = findSpec(args.pod, args.container)
      const probe = spec ? probeOf(spec.container, args.type) : undefined
      if (!spec || !probe || w.containerId !== args.containerId) {
        workers(ctx).put(args.worker, { ...w, busy: false })
        return
      }
      const run = w.last === outcome ? w.run + 1 : 1
      const changed = w.last !== outcome
      if (changed) ctx.foreground()
      ctx.record(
        'probe.result',
        { uid: w.uid, container: args.container, probe: args.type, result: result.outcome, output: result.output.slice(0, 300), changed },
        { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(args.pod), name: nameOf(args.pod), uid: w.uid },
      )
      const title = TITLE[args.type]
      if (result.outcome === 'failure')
        containerEvent(ctx, args.pod, spec, 'Warning', 'Unhealthy', `${title} probe failed: ${result.output}`)
      else if (result.outcome === 'unknown')
        containerEvent(
          ctx,
          args.pod,
          spec,
          'Warning',
          'Unhealthy',
          `${title} probe errored and resulted in unknown state: ${result.output}`,
        )
      else if (result.outcome === 'warning')
        containerEvent(ctx, args.pod, spec, 'Warning', 'ProbeWarning', `${title} probe warning: ${result.output}`)
      const { again } = w
      // An error of the probe itself counts neither way.
      const counted = result.outcome === 'unknown'
      let next: ProbeWorker = { ...w, busy: false, again: false, ...(counted ? {} : { last: outcome, run }) }
      workers(ctx).put(args.worker, next)
      const threshold = outcome === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1)
      if (!counted && run >= threshold) {
        if ((args.type === 'liveness' && outcome === 'failure') || args.type === 'startup') {
          next = { ...next, onHold: true, run: 0 }
          workers(ctx).put(args.worker, next)
        }
        set(ctx, next, outcome)
      }
      if (again) ctx.next('probe.now', args.worker)
    },
    handlers: {
      'probe.tick': ((ctx: Context, key: string) => tick(ctx, key)) as never,
      'probe.now': ((ctx: Context, key: string) => doProbe(ctx, key)) as never,
    },
  }
}

/** prober.go: up to three tries when the probe itself fails. */
function* runProbe(args: ProbeArgs): Work<ProbeResult> {
  let result: ProbeResult = { outcome: 'unknown', output: '' }
  for (let i = 0; i < MAX_PROBE_RETRIES; i++) {
    result = yield* attempt(args)
    if (result.outcome !== 'unknown') return result
  }
  return result
}

function* attempt(args: ProbeArgs): Work<ProbeResult> {
  const spec = findSpec(args.pod, args.container) as ContainerSpec
  const probe = probeOf(spec.container, args.type) as Probe
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  if (probe.exec) {
    const command = probe.exec.command ?? []
    const ran = yield* cri('ExecSync', { id: bare(args.containerId), command, timeoutSeconds }, args.container)
    if (!ran.ok) return { outcome: ran.error.code === 'DeadlineExceeded' ? 'failure' : 'unknown', output: ran.error.message }
    return { outcome: ran.value.exitCode === 0 ? 'success' : 'failure', output: ran.value.stdout + ran.value.stderr }
  }
  if (probe.httpGet) {
    const { httpGet } = probe
    const port = portNumber(spec.container, httpGet.port)
    const host = httpGet.host || args.podIP
    const scheme = (httpGet.scheme ?? 'HTTP').toLowerCase()
    const path = httpGet.path ?? ''
    const url = `${scheme}://${host}:${port}/${path.replace(/^\//, '')}`
    const reply = yield* connectTo(
      { ip: host, port, protocol: scheme === 'https' ? 'https' : 'http', path: path.startsWith('/') ? path : `/${path}`, method: 'GET' },
      timeoutSeconds * 1000,
    )
    if (!reply.connected)
      return {
        outcome: 'failure',
        output:
          reply.error === 'i/o timeout'
            ? `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
            : `Get "${url}": dial tcp ${host}:${port}: connect: ${reply.error}`,
      }
    if (reply.plain) return { outcome: 'failure', output: `Get "${url}": http: server gave HTTP response to HTTPS client` }
    const code = reply.http?.status ?? 0
    if (!reply.http) return { outcome: 'failure', output: `Get "${url}": EOF` }
    if (code >= 200 && code < 400)
      return code >= 300
        ? { outcome: 'warning', output: `Probe terminated redirects, Response body: ${reply.http.body}` }
        : { outcome: 'success', output: reply.http.body }
    return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${code}` }
  }
  if (probe.tcpSocket) {
    const port = portNumber(spec.container, probe.tcpSocket.port)
    const host = probe.tcpSocket.host || args.podIP
    const reply = yield* connectTo({ ip: host, port, protocol: 'tcp' }, timeoutSeconds * 1000)
    if (reply.connected) return { outcome: 'success', output: '' }
    return {
      outcome: 'failure',
      output: reply.error === 'i/o timeout' ? `dial tcp ${host}:${port}: i/o timeout` : `dial tcp ${host}:${port}: connect: ${reply.error}`,
    }
  }
  if (probe.grpc) {
    const reply = yield* connectTo({ ip: args.podIP, port: probe.grpc.port, protocol: 'grpc' }, timeoutSeconds * 1000)
    if (!reply.connected)
      return {
        outcome: 'failure',
        output: `timeout: failed to connect service "${args.podIP}:${probe.grpc.port}" within ${timeoutSeconds}s: context deadline exceeded`,
      }
    if (reply.plain)
      return { outcome: 'failure', output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)' }
    return { outcome: 'success', output: 'service healthy' }
  }
  yield* once(() => null)
  return { outcome: 'unknown', output: 'missing probe handler' }
}
