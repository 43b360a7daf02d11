import type { TraceLevel } from '../record.ts'

/** The node: what the kubelet decided, what the runtime did, which address CNI gave, what probes saw. */
export interface KubeletTrace {
  /** The kubelet's view of a pod began or ended. */
  'kubelet.pod.admitted': { uid: string; source: 'api' | 'file' }
  'kubelet.pod.rejected': { uid: string; reason: string; message: string }
  'kubelet.pod.sync.started': { uid: string; kind: 'create' | 'update' | 'sync' | 'terminating' | 'terminated' }
  'kubelet.pod.sync.finished': {
    uid: string
    kind: 'create' | 'update' | 'sync' | 'terminating' | 'terminated'
    error?: string
    nextMs?: number
  }
  /** What the kubelet means to do with the pod's containers (computePodActions). */
  'kubelet.pod.actions': {
    uid: string
    createSandbox: boolean
    killPod: boolean
    start: readonly string[]
    init: readonly string[]
    kill: readonly string[]
  }
  'kubelet.pod.removed': { uid: string }
  'kubelet.volumes.mounted': { uid: string; volumes: readonly string[] }
  'kubelet.volume.failed': { uid: string; volume: string; message: string }
  'kubelet.container.backoff': { uid: string; container: string; delayMs: number; untilMs: number }
  'kubelet.status.changed': { uid: string; phase: string; ready: boolean }
  'kubelet.node.status': { ready: boolean; message: string }
  'kubelet.node.registered': { node: string; existed: boolean }
  'kubelet.lease.renewed': { node: string }
  'kubelet.pleg.event': { uid: string; type: 'ContainerStarted' | 'ContainerDied' | 'ContainerRemoved'; container: string }
  'kubelet.hook.ran': { uid: string; container: string; hook: 'PostStart' | 'PreStop'; ok: boolean; message: string }
  'probe.result': {
    uid: string
    container: string
    probe: 'startup' | 'liveness' | 'readiness'
    result: 'success' | 'failure' | 'warning' | 'unknown'
    output: string
    changed: boolean
  }
  'cri.sandbox.started': { sandbox: string; uid: string; ip: string; hostNetwork: boolean }
  'cri.sandbox.stopped': { sandbox: string; uid: string }
  'cri.container.created': { container: string; name: string; uid: string; image: string }
  'cri.container.started': { container: string; name: string; uid: string; command: readonly string[] }
  'cri.container.signalled': { container: string; name: string; uid: string; signal: string }
  'cri.container.exited': { container: string; name: string; uid: string; exitCode: number; reason: string }
  'cri.container.removed': { container: string; name: string; uid: string }
  'cri.exec.ended': { container: string; name: string; command: readonly string[]; exitCode: number }
  'cni.added': { sandbox: string; ip: string; podCIDR: string }
  'cni.deleted': { sandbox: string; ip: string }
  'cni.configured': { podCIDR: string }
  'image.pull.started': { image: string; sizeBytes: number; durationMs: number }
  'image.pull.finished': { image: string; sizeBytes: number }
  'image.pull.failed': { image: string; message: string }
}

export const kubeletLevels: Record<keyof KubeletTrace, TraceLevel> = {
  'kubelet.pod.admitted': 'story',
  'kubelet.pod.rejected': 'story',
  'kubelet.pod.sync.started': 'detail',
  'kubelet.pod.sync.finished': 'detail',
  'kubelet.pod.actions': 'detail',
  'kubelet.pod.removed': 'story',
  'kubelet.volumes.mounted': 'detail',
  'kubelet.volume.failed': 'story',
  'kubelet.container.backoff': 'story',
  'kubelet.status.changed': 'detail',
  'kubelet.node.status': 'detail',
  'kubelet.node.registered': 'story',
  'kubelet.lease.renewed': 'detail',
  'kubelet.pleg.event': 'detail',
  'kubelet.hook.ran': 'story',
  'probe.result': 'detail',
  'cri.sandbox.started': 'story',
  'cri.sandbox.stopped': 'story',
  'cri.container.created': 'detail',
  'cri.container.started': 'story',
  'cri.container.signalled': 'story',
  'cri.container.exited': 'story',
  'cri.container.removed': 'detail',
  'cri.exec.ended': 'detail',
  'cni.added': 'story',
  'cni.deleted': 'detail',
  'cni.configured': 'story',
  'image.pull.started': 'story',
  'image.pull.finished': 'story',
  'image.pull.failed': 'story',
}
