import type { ControllerTrace } from '../../sim/trace/kinds/controller.ts'
import { joined, plural, seconds } from '../names.ts'
import type { SentencesOf } from './index.ts'

const who = (controller: string): string => `The ${controller.replace(/-controller$/, '')} controller`
const facts = (f: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(f)
    .map(([k, v]) => `${k.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()} ${v}`)
    .join(', ')

export const controllerSentences: SentencesOf<ControllerTrace> = {
  'controller.started': ({ data }) => ({
    title: `${who(data.controller)} starts to work`,
    because: `Its copies of ${joined(data.informers, 6)} are complete.`,
    concept: 'controllers',
  }),
  'controller.queue.added': ({ data }) => ({
    title: `${who(data.controller)} will look at ${data.key}`,
    because: `It heard: ${data.by}.`,
    concept: 'controllers',
  }),
  'controller.reconcile.started': ({ data }) => ({
    title: `${who(data.controller)} compares what should be with what is: ${data.key}`,
    because: data.waitedMs > 0 ? `The key waited ${seconds(data.waitedMs)} in the queue.` : '',
    concept: 'controllers',
  }),
  'controller.decided': ({ data }) => ({
    title: `${who(data.controller)} decides: ${data.what}`,
    because: Object.keys(data.facts).length > 0 ? `It sees: ${facts(data.facts)}.` : `About ${data.key}.`,
    concept: data.controller.startsWith('deployment') ? 'deployment' : data.controller.startsWith('garbage') ? 'gc' : 'controllers',
  }),
  'controller.reconcile.finished': ({ data }) => ({
    title: `${who(data.controller)} ${data.outcome === 'failed' ? 'fails on' : 'is done with'} ${data.key}`,
    because:
      data.error ??
      (data.requests === 0
        ? 'Nothing was to be done.'
        : `${plural(data.requests, 'request')} to the API server${data.afterMs === undefined ? '' : `; it looks again in ${seconds(data.afterMs)}`}.`),
    concept: 'controllers',
  }),
}
