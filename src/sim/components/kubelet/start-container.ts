// Pull, create, start, postStart (pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts'
import type { Context } from '../../net/context.ts'
import type { ContainerConfig, CriMount, HostFile } from '../runtime/cri.ts'
import { config } from './config.ts'
import { allocatableOf, expandWords, makeEnvironment, podHostname, expand } from './environment.ts'
import { containerEvent } from './events.ts'
import type { PodAddresses } from './field-refs.ts'
import { hostsFile, resolvConf } from './network-files.ts'
import { runHook } from './hooks.ts'
import { ensureImage } from './images.ts'
import { killContainer } from './kill-pod.ts'
import { findStatus, formatPod, hashContainer, specOf, uidOf } from './pod-util.ts'
import type { CachedStatus, ContainerSpec } from './types.ts'
import { podDirectory, seenAt, volumeState } from './volumes.ts'
import { call, cri, once, type Work } from './workflow.ts'

export interface StartError {
  readonly reason: string
  readonly message: string
}

/** undefined = it runs. */
export function* startContainer(
  pod: Pod,
  spec: ContainerSpec,
  sandboxId: string,
  podStatus: CachedStatus,
  ips: readonly string[],
  wake: (ctx: Context, key: string) => void,
): Work<StartError | undefined> {
  const { container } = spec
  const fail = (message: string): Work<null> =>
    once((ctx) => void containerEvent(ctx, pod, spec, 'Warning', 'Failed', `Error: ${message}`)) as unknown as Work<null>
  const image = yield* ensureImage(pod, spec, wake)
  if ('reason' in image) {
    yield* fail(image.reason)
    return image
  }
  const before = findStatus(podStatus, container.name)
  const attempt = before ? before.attempt + 1 : 0
  const made = yield* containerConfig(pod, spec, attempt, image.imageRef, ips)
  if ('error' in made) {
    yield* fail(made.error)
    return { reason: 'CreateContainerConfigError', message: made.error }
  }
  const created = yield* cri('CreateContainer', { sandboxId, config: made.config }, container.name)
  if (!created.ok) {
    yield* fail(created.error.message)
    return { reason: 'CreateContainerError', message: created.error.message }
  }
  const { id } = created.value
  yield* once((ctx) => void containerEvent(ctx, pod, spec, 'Normal', 'Created', 'Container created'))
  const started = yield* cri('StartContainer', { id }, container.name)
  if (!started.ok) {
    yield* fail(started.error.message)
    return { reason: 'RunContainerError', message: started.error.message }
  }
  yield* once((ctx) => void containerEvent(ctx, pod, spec, 'Normal', 'Started', 'Container started'))
  const hook = container.lifecycle?.postStart
  if (hook) {
    const failure = yield* runHook(pod, spec, id, hook, 'PostStart', ips, undefined)
    if (failure !== undefined) {
      yield* once((ctx) => void containerEvent(ctx, pod, spec, 'Warning', 'FailedPostStartHook', 'PostStartHook failed'))
      yield* killContainer(pod, spec, id, { message: 'FailedPostStartHook', reason: '', ips })
      return { reason: 'PostStartHookError', message: failure }
    }
  }
  return undefined
}

function* containerConfig(
  pod: Pod,
  spec: ContainerSpec,
  attempt: number,
  imageRef: string,
  ips: readonly string[],
): Work<{ config: ContainerConfig } | { error: string }> {
  const { container } = spec
  const podSecurity = specOf(pod).securityContext ?? {}
  const security = container.securityContext ?? {}
  const runAsUser = security.runAsUser ?? podSecurity.runAsUser
  const nonRoot = security.runAsNonRoot ?? podSecurity.runAsNonRoot
  const where = `(pod: "${formatPod(pod)}", container: ${container.name})`
  const image = yield* cri('ImageStatus', { image: container.image ?? '' }, container.image ?? '')
  const imageUser = image.ok ? (image.value.image?.user ?? '') : ''
  if (nonRoot) {
    if (runAsUser === 0) return { error: `container's runAsUser breaks non-root policy ${where}` }
    if (runAsUser === undefined && (imageUser === '' || imageUser === '0' || imageUser === 'root'))
      return { error: `container has runAsNonRoot and image will run as root ${where}` }
    if (runAsUser === undefined && !/^\d+/.test(imageUser))
      return { error: `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${where}` }
  }
  const facts = yield* once((ctx) => ({
    hostIP: config(ctx).nodeIP,
    node: config(ctx).node,
    domain: config(ctx).clusterDomain,
    dns: config(ctx).clusterDNS,
    seen: seenAt(ctx, uidOf(pod)),
  }))
  const addresses: PodAddresses = { podIPs: ips, hostIP: facts.hostIP, node: facts.node, seen: facts.seen }
  const allocatable = yield* allocatableOf()
  const environment = yield* makeEnvironment(pod, container, addresses, allocatable)
  if ('error' in environment) return environment
  const { hostname, domain } = podHostname(pod, facts.domain, facts.node)
  const runtime = yield* once((ctx) => config(ctx).runtime)
  const directory = podDirectory(uidOf(pod))
  yield* call(
    runtime,
    'host.write',
    {
      directory,
      files: [
        { path: 'etc-hosts', content: hostsFile(pod, ips, hostname, domain), mode: 0o644 },
        { path: 'resolv.conf', content: resolvConf(pod, facts.dns, facts.domain), mode: 0o644 },
      ],
      replace: false,
    },
    { flow: 'control', summary: 'write etc-hosts' },
  )
  const mounts: CriMount[] = []
  for (const m of container.volumeMounts ?? []) {
    const volume = (specOf(pod).volumes ?? []).find((v) => v.name === m.name)
    const state = yield* once((ctx) => volumeState(ctx, uidOf(pod), m.name) ?? null)
    if (!volume || state?.hostPath === undefined)
      return { error: `cannot find volume "${m.name}" to mount into container "${container.name}"` }
    let sub = m.subPath ?? ''
    if (m.subPathExpr) {
      const map = new Map(environment.env)
      let missing: string | undefined
      sub = expand(m.subPathExpr, (name) => {
        const value = map.get(name)
        if (value === undefined) missing ??= name
        return value
      })
      if (missing !== undefined) return { error: `failed to expand subPathExpr ${m.subPathExpr}: missing value for "${missing}"` }
    }
    if (sub !== '' && (volume.emptyDir || volume.persistentVolumeClaim || volume.hostPath))
      yield* call(
        runtime,
        'host.write',
        { directory: `${state.hostPath}/${sub}`, files: [], replace: false },
        { flow: 'control', summary: `subPath ${sub}` },
      )
    const atomic =
      volume.configMap !== undefined || volume.secret !== undefined || volume.projected !== undefined || volume.downwardAPI !== undefined
    if (sub !== '' && atomic) {
      // A sub-path is bound to what was there when the container started: it does not follow later changes.
      const hostPath = `${directory}/volume-subpaths/${m.name}/${container.name}/${mounts.length}`
      const content = JSON.parse(state.content ?? '[]') as HostFile[]
      const whole = content.find((f) => f.path === sub)
      const inside = content.filter((f) => f.path.startsWith(`${sub}/`)).map((f) => ({ ...f, path: f.path.slice(sub.length + 1) }))
      const cut = hostPath.lastIndexOf('/')
      yield* call(
        runtime,
        'host.write',
        whole
          ? { directory: hostPath.slice(0, cut), files: [{ ...whole, path: hostPath.slice(cut + 1) }], replace: false }
          : { directory: hostPath, files: inside, replace: true },
        { flow: 'control', summary: `subPath ${sub}` },
      )
      mounts.push({ containerPath: m.mountPath, hostPath, readOnly: true })
      continue
    }
    mounts.push({
      containerPath: m.mountPath,
      hostPath: sub === '' ? state.hostPath : `${state.hostPath}/${sub}`,
      readOnly: m.readOnly === true || atomic,
    })
  }
  const own = new Set(mounts.map((m) => m.containerPath))
  if (!own.has('/etc/hosts')) mounts.push({ containerPath: '/etc/hosts', hostPath: `${directory}/etc-hosts`, readOnly: false })
  if (!own.has('/etc/resolv.conf'))
    mounts.push({ containerPath: '/etc/resolv.conf', hostPath: `${directory}/resolv.conf`, readOnly: false })
  const groups = [...(podSecurity.supplementalGroups ?? []), ...(podSecurity.fsGroup === undefined ? [] : [podSecurity.fsGroup])]
  const runAsGroup = security.runAsGroup ?? podSecurity.runAsGroup
  const memory = container.resources?.limits?.memory
  const cpu = container.resources?.limits?.cpu
  return {
    config: {
      name: container.name,
      attempt,
      image: container.image ?? '',
      imageRef,
      command: expandWords(container.command, environment.env),
      args: expandWords(container.args, environment.env),
      workingDir: container.workingDir ?? '',
      env: environment.env,
      mounts,
      ...(runAsUser === undefined ? {} : { runAsUser }),
      ...(runAsGroup === undefined ? {} : { runAsGroup }),
      supplementalGroups: groups,
      readOnlyRootFilesystem: security.readOnlyRootFilesystem === true,
      terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
      terminationMessagePolicy: container.terminationMessagePolicy === 'FallbackToLogsOnError' ? 'FallbackToLogsOnError' : 'File',
      hash: hashContainer(container),
      ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal } : {}),
      stdin: container.stdin === true,
      tty: container.tty === true,
      ...(memory === undefined ? {} : { memoryLimitBytes: quantityValue(memory) }),
      ...(cpu === undefined ? {} : { cpuLimitMillicores: quantityMilliValue(cpu) }),
    },
  }
}
