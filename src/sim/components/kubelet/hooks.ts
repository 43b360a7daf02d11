// postStart and preStop (pkg/kubelet/lifecycle/handlers.go). undefined = it succeeded.
import type { LifecycleHandler, Pod } from '../../api/types/kubernetes.gen.ts'
import type { PodConnectReply } from '../runtime/cri.ts'
import { connectTo, portNumber } from './connect.ts'
import { nameOf, namespaceOf, uidOf } from './pod-util.ts'
import type { ContainerSpec } from './types.ts'
import { cri, once, sleep, type Work } from './workflow.ts'

export function* runHook(
  pod: Pod,
  spec: ContainerSpec,
  containerId: string,
  hook: LifecycleHandler,
  which: 'PostStart' | 'PreStop',
  ips: readonly string[],
  timeoutSeconds: number | undefined,
): Work<string | undefined> {
  const failure = yield* handler(spec, containerId, hook, ips, timeoutSeconds)
  yield* once(
    (ctx) =>
      void ctx.record(
        'kubelet.hook.ran',
        { uid: uidOf(pod), container: spec.container.name, hook: which, ok: failure === undefined, message: failure ?? '' },
        { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
      ),
  )
  return failure
}

function* handler(
  spec: ContainerSpec,
  containerId: string,
  hook: LifecycleHandler,
  ips: readonly string[],
  timeoutSeconds: number | undefined,
): Work<string | undefined> {
  if (hook.exec) {
    const command = hook.exec.command ?? []
    const ran = yield* cri('ExecSync', { id: containerId, command, timeoutSeconds: timeoutSeconds ?? 0 }, spec.container.name)
    if (!ran.ok) return ran.error.message
    if (ran.value.exitCode !== 0)
      return `Exec lifecycle hook (${JSON.stringify(command)}) for Container "${spec.container.name}" failed - error: command '${command.join(' ')}' exited with ${ran.value.exitCode}: ${ran.value.stderr}, message: ${JSON.stringify(ran.value.stdout + ran.value.stderr)}`
    return undefined
  }
  if (hook.sleep) {
    yield* sleep(hook.sleep.seconds * 1000)
    return undefined
  }
  if (hook.httpGet) {
    const port = portNumber(spec.container, hook.httpGet.port)
    const host = hook.httpGet.host || ips[0] || ''
    const reply: PodConnectReply = yield* connectTo(
      { ip: host, port, protocol: hook.httpGet.scheme === 'HTTPS' ? 'https' : 'http', path: hook.httpGet.path ?? '/', method: 'GET' },
      timeoutSeconds === undefined ? 30_000 : timeoutSeconds * 1000,
    )
    const url = `http://${host}:${port}/${(hook.httpGet.path ?? '').replace(/^\//, '')}`
    if (!reply.connected) return `Get "${url}": dial tcp ${host}:${port}: connect: ${reply.error}`
    return undefined
  }
  if (hook.tcpSocket) return 'no lifecycle handler'
  return undefined
}
