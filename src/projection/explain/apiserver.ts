import type { ApiserverTrace } from '../../sim/trace/kinds/apiserver.ts'
import type { ClientTrace } from '../../sim/trace/kinds/client.ts'
import { joined, plural, refText, seconds } from '../names.ts'
import type { SentencesOf } from './index.ts'

const what = (d: { resource?: string; subresource?: string; name?: string; path: string }): string =>
  d.resource ? `${d.resource}${d.subresource ? `/${d.subresource}` : ''}${d.name ? ` ${d.name}` : ''}` : d.path

export const apiserverSentences: SentencesOf<ApiserverTrace & ClientTrace> = {
  'apiserver.request.received': ({ data }, { who }) => ({
    title: `${who} receives a request: ${data.verb} ${what(data)}`,
    because: 'It will ask in turn: who are you, may you, is it well-formed; only then is anything stored.',
    concept: 'api',
  }),
  'apiserver.authn.succeeded': ({ data }, { who }) => ({
    title: `${who} recognises ${data.user}`,
    because: `By ${data.by}; groups: ${data.groups.join(', ') || 'none'}.`,
    concept: 'authn',
  }),
  'apiserver.authn.failed': ({ data }, { who }) => ({ title: `${who} does not know who is asking`, because: data.why, concept: 'authn' }),
  'apiserver.authn.impersonated': ({ data }) => ({ title: `${data.user} acts as ${data.impersonated}`, concept: 'authn' }),
  'apiserver.flow.classified': ({ data }) => ({
    title: `The request is put into priority level ${data.priorityLevel}`,
    because: `FlowSchema ${data.flowSchema} matches it.`,
    concept: 'fairness',
  }),
  'apiserver.authz.allowed': ({ data }) => ({
    title: `${data.user} may ${data.verb} ${data.resource}`,
    because: data.reason,
    concept: 'rbac',
  }),
  'apiserver.authz.denied': ({ data }) => ({
    title: `${data.user} may not ${data.verb} ${data.resource}`,
    because: data.reason || 'No role grants it.',
    concept: 'rbac',
  }),
  'apiserver.admission.mutated': ({ data }) => ({
    title: `Admission plugin ${data.plugin} changes the object`,
    because: data.what,
    concept: 'admission',
  }),
  'apiserver.admission.denied': ({ data }) => ({
    title: `Admission plugin ${data.plugin} refuses the request`,
    because: data.message,
    concept: 'admission',
  }),
  'apiserver.validation.failed': ({ data }) => ({
    title: `The object is invalid: ${plural(data.errors.length, 'error')}`,
    because: data.errors.join('; '),
    concept: 'validation',
  }),
  'apiserver.conflict.retried': () => ({
    title: 'Somebody else wrote first: the API server plans the request again on the newer state',
    because: 'Every write names the version it read; a stale one is not stored.',
    concept: 'api',
  }),
  'apiserver.stored': ({ data, subject }, { who }) => ({
    title: `${who} ${data.what === 'create' ? 'has created' : data.what === 'update' ? 'has updated' : 'has deleted'} ${refText(subject) || data.key.replace('/registry/', '')}`,
    because: `etcd committed it as revision ${data.revision}. Everyone who watches will hear of it.`,
    concept: 'api',
  }),
  'apiserver.responded': ({ data }, { who }) => ({
    title: `${who} answers ${data.user} with ${data.code}: ${data.verb} ${data.resource}`,
    because: data.message ?? `It took ${seconds(data.tookMs)}.`,
    concept: 'api',
  }),
  'apiserver.watch.opened': ({ data }, { who }) => ({
    title: `${who} streams ${data.resource} to a watcher`,
    because: `${plural(data.initialEvents, 'object')} first, then every change.`,
    concept: 'watch',
  }),
  'apiserver.watch.closed': ({ data }, { who }) => ({
    title: `${who} ends a watch of ${data.resource}`,
    because: `Reason: ${data.why}.`,
    concept: 'watch',
  }),
  'apiserver.cache.ready': ({ data }, { who }) => ({
    title: `${who} has read ${plural(data.objects, 'object')} from etcd and can answer`,
    concept: 'etcd',
  }),
  'apiserver.etcd.failed': ({ data }, { who }) => ({ title: `${who} cannot reach etcd: ${data.error}`, concept: 'etcd' }),
  'client.lease.acquired': ({ data }, { who }) => ({
    title: `${who} becomes the leader: it holds the Lease ${data.lease}`,
    because: 'Only the holder works; others wait until it stops renewing.',
    concept: 'leases',
  }),
  'client.lease.lost': ({ data }, { who }) => ({
    title: `${who} gives up leadership of ${data.lease}`,
    because: `It could not renew the Lease within ${seconds(data.renewDeadlineMs)}.`,
    concept: 'leases',
  }),
  'client.leader.observed': ({ data }, { who }) => ({
    title: `${who} sees that ${data.self ? 'it' : data.holder} leads ${data.lease}`,
    concept: 'leases',
  }),
  'client.event.dropped': ({ data }, { who }) => ({
    title: `${who} leaves out an event: ${data.reason}`,
    because: joined([data.message, data.why]),
    concept: 'api',
  }),
}
