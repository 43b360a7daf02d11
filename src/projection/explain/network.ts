import type { DnsTrace } from '../../sim/trace/kinds/dns.ts'
import type { HostTrace } from '../../sim/trace/kinds/host.ts'
import type { NetTrace } from '../../sim/trace/kinds/net.ts'
import type { ProxyTrace } from '../../sim/trace/kinds/proxy.ts'
import type { VisitorTrace } from '../../sim/trace/kinds/visitor.ts'
import { actorName, elementOf, joined, plural, seconds } from '../names.ts'
import type { SentencesOf } from './index.ts'

const name = (process: string): string => actorName(process).replace(/^The /, 'the ')

export const networkSentences: SentencesOf<NetTrace & HostTrace & VisitorTrace & ProxyTrace & DnsTrace> = {
  'visitor.input': ({ data }) => ({
    title: `You: ${data.summary}`,
    because: 'Everything that follows was caused by this.',
    concept: 'api',
    at: 'you',
  }),
  'net.message.sent': ({ data }, { who }) => {
    const to = name(data.to)
    switch (data.form) {
      case 'request':
        if (data.flow === 'watch')
          return {
            title: `${who} opens a watch at ${to}: ${data.summary.replace(/^watch /, '')}`,
            because: 'A watch is one long answer: first what exists, then every change as it happens. Nobody polls.',
            concept: 'watch',
          }
        return data.flow === 'read'
          ? { title: `${who} asks ${to}: ${data.summary}`, because: 'A read: nothing is changed by it.', concept: 'api' }
          : {
              title: `${who} sends ${to}: ${data.summary}`,
              because: 'A write: it will be checked, then stored or refused.',
              concept: 'api',
            }
      case 'response':
        return { title: `${who} answers ${to}: ${data.summary}${data.ok === false ? ' (refused)' : ''}`, concept: 'api' }
      case 'chunk':
        return {
          title: `${who} tells ${to}: ${data.summary}`,
          because: `${actorName(data.to)} has a watch open, so it hears of the change without asking.`,
          concept: 'watch',
        }
      case 'end':
        return { title: `${who} closes a connection to ${to}`, concept: 'communication' }
      case 'datagram':
        return data.flow === 'raft'
          ? {
              title: `${who} sends ${to}: ${data.summary}`,
              because: 'etcd members agree by Raft: what a majority has on disk is committed.',
              concept: 'raft',
            }
          : { title: `${who} sends ${to}: ${data.summary}`, concept: 'networking' }
    }
  },
  'net.message.lost': ({ data }) => ({
    title: `A message from ${name(data.from)} to ${name(data.to)} is lost: ${data.summary}`,
    because: `Reason: ${data.why}.`,
    concept: 'networking',
    at: elementOf(data.from),
  }),
  'net.call.failed': ({ data }, { who }) => ({
    title: `${who} gets no answer from ${name(data.to)}: ${data.error}`,
    because: `It had asked: ${data.summary}.`,
    concept: 'communication',
  }),
  'net.link.changed': ({ data }) => ({
    title: data.cut
      ? `The link between ${data.a} and ${data.b} is cut`
      : `The link between ${data.a} and ${data.b} carries messages (${data.latencyMs} ms)`,
    because: data.cut ? 'Both machines go on running; neither hears the other.' : 'What the kernels kept waiting is sent once more.',
    concept: 'networking',
    at: `host:${data.b}`,
  }),
  'net.host.changed': ({ data }) => ({
    title: data.up ? `${data.host} has power again` : `${data.host} loses power`,
    because: data.up ? 'Its system starts the kubelet and the container runtime.' : 'Nobody is told: others notice only by its silence.',
    concept: 'nodes',
    at: `host:${data.host}`,
  }),
  'process.started': ({ data }) => ({
    title: `${data.type} starts on ${data.host}`,
    because: data.incarnation > 1 ? `It is start number ${data.incarnation}; what it had in memory is gone.` : '',
    concept: 'components',
    at: elementOf(data.process),
  }),
  'process.stopped': ({ data }) => ({
    title: `${data.type} on ${data.host} stops: ${data.why}`,
    because: 'Its connections are reset and its memory is lost; what is on disk stays.',
    concept: 'components',
    at: elementOf(data.process),
  }),
  'proxy.rules.synced': ({ data }, { who }) => ({
    title: `${who} writes ${plural(data.rules, 'rule')} for ${plural(data.services, 'service')} (${data.mode})`,
    because:
      data.changed.length > 0
        ? `It saw a change of ${joined(data.changed)}. The kernel will carry the traffic; kube-proxy only writes the rules.`
        : 'The kernel carries the traffic; kube-proxy only writes the rules.',
    concept: 'proxies',
  }),
  'packet.sent': ({ data }) => ({
    title: `${data.from} sends a packet to ${data.destination}: ${data.what}`,
    because: `Its source address is ${data.source}.`,
    concept: 'networking',
    at: packetElement(data.from),
  }),
  'packet.rule.matched': ({ data }) => ({
    title: `On ${data.node} a rule of chain ${data.chain} matches: ${data.decision}`,
    because: data.rule,
    concept: 'proxies',
    at: `component:kube-proxy/${data.node}`,
  }),
  'packet.routed': ({ data }) => ({
    title: `The packet goes from ${data.from} to ${data.to}`,
    because: data.why,
    concept: 'networking',
    at: packetElement(data.from),
  }),
  'packet.delivered': ({ data }) => ({
    title: `The packet reaches container ${data.container} of pod ${data.pod} on port ${data.port}`,
    concept: 'networking',
    at: `pod:${data.pod}`,
  }),
  'packet.dropped': ({ data }) => ({
    title: `The packet ends at ${data.at}`,
    because: data.why,
    concept: 'networking',
    at: packetElement(data.at),
  }),
  'request.answered': ({ data }) => ({
    title:
      data.status === 0
        ? `${data.by} accepts the connection after ${seconds(data.tookMs)}`
        : `The request is answered with ${data.status} by ${data.by} after ${seconds(data.tookMs)}`,
    because: data.body,
    concept: 'services',
    at: packetElement(data.by),
  }),
  'request.failed': ({ data }) => ({ title: `The request fails after ${seconds(data.tookMs)}: ${data.error}`, concept: 'services' }),
  'dns.ready': ({ data }, { who }) => ({ title: `${who} knows ${plural(data.services, 'service')} and can answer names`, concept: 'dns' }),
  'dns.query.received': ({ data }, { who }) => ({ title: `${who} is asked for ${data.name} (${data.type})`, concept: 'dns' }),
  'dns.query.answered': ({ data }, { who }) => ({
    title: `${who} answers ${data.name}: ${data.answers.length > 0 ? joined(data.answers) : data.status}`,
    because: data.status === 'NXDOMAIN' ? 'No such name: no Service or pod record has it.' : '',
    concept: 'dns',
  }),
}

/** Hops are named by element id where they have one, else by address or machine. */
function packetElement(at: string): string {
  if (at.includes(':')) return at
  if (at.includes('/')) return `pod:${at}`
  return at === 'outside' || at === 'you' ? at : `host:${at}`
}
