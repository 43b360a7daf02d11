import type { KubeletTrace } from '../../sim/trace/kinds/kubelet.ts'
import type { TraceRecord } from '../../sim/trace/record.ts'
import { joined, megabytes, plural, seconds } from '../names.ts'
import type { SentencesOf } from './index.ts'

const pod = (record: TraceRecord): string => (record.subject ? `pod ${record.subject.name}` : 'a pod')
const list = (items: readonly string[]): string => joined(items) || 'nothing'

export const nodeSentences: SentencesOf<KubeletTrace> = {
  'kubelet.pod.admitted': (r, { who }) => ({
    title: `${who} takes on ${pod(r)}`,
    because:
      r.data.source === 'file'
        ? 'Its manifest lies in the directory of static pods.'
        : 'Its watch shows a pod whose nodeName is this node. Nobody sent it here.',
    concept: 'lifecycle',
  }),
  'kubelet.pod.rejected': (r, { who }) => ({
    title: `${who} refuses ${pod(r)}: ${r.data.reason}`,
    because: r.data.message,
    concept: 'lifecycle',
  }),
  'kubelet.pod.sync.started': (r, { who }) => ({
    title: `${who} works on ${pod(r)}`,
    because: `Occasion: ${r.data.kind}.`,
    concept: 'lifecycle',
  }),
  'kubelet.pod.sync.finished': (r, { who }) => ({
    title: `${who} is done with ${pod(r)} for now`,
    because: r.data.error ?? (r.data.nextMs === undefined ? '' : `It looks again in ${seconds(r.data.nextMs)}.`),
    concept: 'lifecycle',
  }),
  'kubelet.pod.actions': (r, { who }) => ({
    title: `${who} decides what ${pod(r)} needs`,
    because: `${r.data.createSandbox ? 'A new sandbox. ' : ''}Start: ${list([...r.data.init, ...r.data.start])}. Stop: ${r.data.killPod ? 'the whole pod' : list(r.data.kill)}.`,
    concept: 'lifecycle',
  }),
  'kubelet.pod.removed': (r, { who }) => ({
    title: `${who} has forgotten ${pod(r)}`,
    because: 'Its containers are gone and the API object too.',
    concept: 'lifecycle',
  }),
  'kubelet.volumes.mounted': (r, { who }) => ({
    title: `${who} has mounted the volumes of ${pod(r)}`,
    because: list(r.data.volumes),
    concept: 'volumes',
  }),
  'kubelet.volume.failed': (r, { who }) => ({
    title: `${who} cannot mount volume ${r.data.volume} of ${pod(r)}`,
    because: r.data.message,
    concept: 'volumes',
  }),
  'kubelet.container.backoff': (r, { who }) => ({
    title: `${who} waits ${seconds(r.data.delayMs)} before it restarts container ${r.data.container} of ${pod(r)}`,
    because: 'It crashed again and again; the wait doubles each time, up to five minutes (CrashLoopBackOff).',
    concept: 'lifecycle',
  }),
  'kubelet.status.changed': (r, { who }) => ({
    title: `${who} sees ${pod(r)} as ${r.data.phase}${r.data.ready ? ' and ready' : ''}`,
    because: 'It will report this to the API server.',
    concept: 'lifecycle',
  }),
  'kubelet.node.status': (r, { who }) => ({
    title: `${who} reports its node ${r.data.ready ? 'Ready' : 'not ready'}`,
    because: r.data.message,
    concept: 'nodes',
  }),
  'kubelet.node.registered': (r, { who }) => ({
    title: `${who} ${r.data.existed ? 'finds' : 'registers'} its node ${r.data.node}`,
    concept: 'nodes',
  }),
  'kubelet.lease.renewed': (r, { who }) => ({
    title: `${who} renews its Lease`,
    because: `Sign of life of ${r.data.node}, every 10 s.`,
    concept: 'leases',
  }),
  'kubelet.pleg.event': (r, { who }) => ({
    title: `${who} notices: ${r.data.type} (${r.data.container})`,
    because: 'It compares what the runtime has with what it had.',
    concept: 'lifecycle',
  }),
  'kubelet.hook.ran': (r, { who }) => ({
    title: `${who} ran the ${r.data.hook} hook of container ${r.data.container}${r.data.ok ? '' : ': it failed'}`,
    because: r.data.message,
    concept: 'hooks',
  }),
  'probe.result': (r, { who }) => ({
    title: `${who}: ${r.data.probe} probe of container ${r.data.container} in ${pod(r)}: ${r.data.result}`,
    because: r.data.changed ? 'The verdict changed.' : r.data.output,
    concept: 'probes',
  }),
  'cri.sandbox.started': (r, { who }) => ({
    title: `${who} makes the sandbox of ${pod(r)}`,
    because: r.data.hostNetwork ? 'It uses the network of its node.' : `Containers of the pod share its network: ${r.data.ip}.`,
    concept: 'runtime',
  }),
  'cri.sandbox.stopped': (r, { who }) => ({ title: `${who} takes down the sandbox of ${pod(r)}`, concept: 'runtime' }),
  'cri.container.created': (r, { who }) => ({
    title: `${who} creates container ${r.data.name}`,
    because: `Image ${r.data.image}.`,
    concept: 'runtime',
  }),
  'cri.container.started': (r, { who }) => ({
    title: `${who} starts container ${r.data.name}`,
    because: r.data.command.length > 0 ? `It runs: ${r.data.command.join(' ')}` : '',
    concept: 'runtime',
  }),
  'cri.container.signalled': (r, { who }) => ({ title: `${who} sends ${r.data.signal} to container ${r.data.name}`, concept: 'lifecycle' }),
  'cri.container.exited': (r) => ({
    title: `Container ${r.data.name} ends with exit code ${r.data.exitCode}`,
    because: r.data.reason,
    concept: 'lifecycle',
  }),
  'cri.container.removed': (r, { who }) => ({ title: `${who} removes container ${r.data.name}`, concept: 'runtime' }),
  'cri.exec.ended': (r, { who }) => ({
    title: `${who} ran “${r.data.command.join(' ')}” in container ${r.data.name}: exit ${r.data.exitCode}`,
    concept: 'runtime',
  }),
  'cni.added': (r) => ({
    title: `The CNI plugin gives ${pod(r)} the address ${r.data.ip}`,
    because: `From this node's range ${r.data.podCIDR}. Neither kube-proxy nor the API server assigns it.`,
    concept: 'cni',
  }),
  'cni.deleted': (r) => ({ title: `The CNI plugin takes back ${r.data.ip}`, concept: 'cni' }),
  'cni.configured': (r) => ({
    title: `The CNI add-on writes its configuration: pods here get addresses from ${r.data.podCIDR}`,
    because: 'From now on the runtime can report its network as ready.',
    concept: 'cni',
  }),
  'image.pull.started': (r, { who }) => ({
    title: `${who} pulls image ${r.data.image}`,
    because: `${megabytes(r.data.sizeBytes)} will take ${seconds(r.data.durationMs)}: the image is not on this node yet.`,
    concept: 'images',
  }),
  'image.pull.finished': (r, { who }) => ({
    title: `${who} has image ${r.data.image}`,
    because: plural(Math.round(r.data.sizeBytes / 1e6), 'megabyte'),
    concept: 'images',
  }),
  'image.pull.failed': (r, { who }) => ({ title: `${who} cannot pull image ${r.data.image}`, because: r.data.message, concept: 'images' }),
}
