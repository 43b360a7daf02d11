// journalctl: what the kubelet and containerd wrote to the journal. Lines are made from trace records, in the form and, where upstream has them, the words of the real programs.
import { EPOCH_MS } from '../../engine/types.ts'
import type { AnyRecord, TraceRecord } from '../../trace/record.ts'
import { formatDate } from '../runtime/shell/text.ts'

const quote = (text: string): string => JSON.stringify(text)

interface Line {
  readonly severity: 'I' | 'E' | 'W'
  readonly source: string
  readonly text: string
}

function podOf(record: TraceRecord): string {
  const s = record.subject
  return quote(s?.namespace ? `${s.namespace}/${s.name}` : (s?.name ?? ''))
}

/** undefined: a real program would not have written anything. */
function lineOf(record: AnyRecord): Line | undefined {
  const pod = podOf(record)
  switch (record.kind) {
    case 'process.started':
      return { severity: 'I', source: 'server.go', text: `"Kubelet version" kubeletVersion="v1.35.4"` }
    case 'kubelet.node.registered':
      return { severity: 'I', source: 'kubelet_node_status.go', text: `"Successfully registered node" node=${quote(record.data.node)}` }
    case 'kubelet.pod.admitted':
      return { severity: 'I', source: 'kubelet.go', text: `"SyncLoop ADD" source=${quote(record.data.source)} pods=[${pod}]` }
    case 'kubelet.pod.removed':
      return { severity: 'I', source: 'kubelet.go', text: `"SyncLoop REMOVE" source="api" pods=[${pod}]` }
    case 'kubelet.pod.rejected':
      return {
        severity: 'I',
        source: 'kubelet.go',
        text: `"Failed to admit pod" pod=${pod} err=${quote(`${record.data.reason}: ${record.data.message}`)}`,
      }
    case 'kubelet.pleg.event':
      return {
        severity: 'I',
        source: 'kubelet.go',
        text: `"SyncLoop (PLEG): event for pod" podUID=${quote(record.data.uid)} event={"ID":${quote(record.data.uid)},"Type":${quote(record.data.type)},"Data":${quote(record.data.container)}}`,
      }
    case 'kubelet.pod.sync.finished':
      return record.data.error === undefined
        ? undefined
        : {
            severity: 'E',
            source: 'pod_workers.go',
            text: `"Error syncing pod, skipping" err=${quote(record.data.error)} pod=${pod} podUID=${quote(record.data.uid)}`,
          }
    case 'kubelet.volume.failed':
      return {
        severity: 'E',
        source: 'nestedpendingoperations.go',
        text: `Operation for volume ${quote(record.data.volume)} of pod ${pod} failed. No retries permitted until later. Error: MountVolume.SetUp failed for volume ${quote(record.data.volume)} : ${record.data.message}`,
      }
    case 'probe.result':
      return record.data.result === 'failure'
        ? {
            severity: 'I',
            source: 'prober.go',
            text: `"Probe failed" probeType=${quote(record.data.probe[0]?.toUpperCase() + record.data.probe.slice(1))} pod=${pod} podUID=${quote(record.data.uid)} containerName=${quote(record.data.container)} probeResult="failure" output=${quote(record.data.output)}`,
          }
        : undefined
    case 'kubelet.node.status':
      return record.data.ready
        ? { severity: 'I', source: 'kubelet_node_status.go', text: `"Fast updating node status as it just became ready"` }
        : { severity: 'E', source: 'kubelet.go', text: `"Container runtime network not ready" networkReady=${quote(record.data.message)}` }
    case 'net.call.failed':
      return { severity: 'E', source: 'reflector.go', text: `${record.data.summary}: ${record.data.to}: ${record.data.error}` }
    case 'cri.sandbox.started':
      return {
        severity: 'I',
        source: 'containerd',
        text: `level=info msg="RunPodSandbox for &PodSandboxMetadata{Name:${record.subject?.name ?? ''},Uid:${record.data.uid},Namespace:${record.subject?.namespace ?? ''}} returns sandbox id \\"${record.data.sandbox}\\""`,
      }
    case 'cri.sandbox.stopped':
      return {
        severity: 'I',
        source: 'containerd',
        text: `level=info msg="StopPodSandbox for \\"${record.data.sandbox}\\" returns successfully"`,
      }
    case 'cri.container.created':
      return {
        severity: 'I',
        source: 'containerd',
        text: `level=info msg="CreateContainer for &ContainerMetadata{Name:${record.data.name}} returns container id \\"${record.data.container}\\""`,
      }
    case 'cri.container.started':
      return {
        severity: 'I',
        source: 'containerd',
        text: `level=info msg="StartContainer for \\"${record.data.container}\\" returns successfully"`,
      }
    case 'cri.container.exited':
      return {
        severity: 'I',
        source: 'containerd',
        text: `level=info msg="received container exit event container_id:\\"${record.data.container}\\" exit_status:${record.data.exitCode}"`,
      }
    case 'image.pull.started':
      return { severity: 'I', source: 'containerd', text: `level=info msg="PullImage \\"${record.data.image}\\""` }
    case 'image.pull.finished':
      return { severity: 'I', source: 'containerd', text: `level=info msg="PullImage \\"${record.data.image}\\" returns image reference"` }
    case 'image.pull.failed':
      return {
        severity: 'E',
        source: 'containerd',
        text: `level=error msg="PullImage \\"${record.data.image}\\" failed" error=${quote(record.data.message)}`,
      }
    default:
      return undefined
  }
}

/** `records` of one process, as the journal of `unit` shows them. */
export function journal(records: readonly TraceRecord[], machine: string, unit: string, pid: number): string[] {
  const out: string[] = []
  for (const record of records) {
    const line = lineOf(record as AnyRecord)
    if (!line) continue
    const ms = EPOCH_MS + record.at
    const when = formatDate(ms, '%b %d %H:%M:%S')
    if (line.source === 'containerd') {
      out.push(
        `${when} ${machine} ${unit}[${pid}]: time="${formatDate(ms, '%Y-%m-%dT%H:%M:%S')}.${String(Math.floor((ms % 1000) * 1e6)).padStart(9, '0')}Z" ${line.text}`,
      )
      continue
    }
    const text = record.kind === 'process.started' && unit !== 'kubelet' ? `level=info msg="starting ${unit}"` : line.text
    const micro = String(Math.floor((ms % 1000) * 1000)).padStart(6, '0')
    out.push(
      `${when} ${machine} ${unit}[${pid}]: ${line.severity}${formatDate(ms, '%m%d %H:%M:%S')}.${micro} ${String(pid).padStart(7)} ${line.source}] ${text}`,
    )
  }
  return out
}
