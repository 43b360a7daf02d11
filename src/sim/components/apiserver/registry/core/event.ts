// v1 Event, also served as events.k8s.io/v1 (pkg/registry/core/event, pkg/apis/core/validation/events.go, pkg/apis/events/v1/conversion.go).
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import type { KindStrategy } from '../strategy.ts'
import { eventColumns } from './columns.ts'
import {
  byteLength,
  immutable,
  invalidEach,
  isDNS1123Subdomain,
  isQualifiedName,
  metaUpdate,
  namespacedMeta,
  semanticEqual,
  translateTimestampSince,
} from './rules.ts'

const strict = (version: string | undefined): boolean => version === 'events.k8s.io/v1'

const tooMany = (field: string, value: string | undefined, limit: number): FieldError[] =>
  byteLength(value ?? '') > limit ? [invalid(field, '', `can have at most ${limit} characters`)] : []

const needed = (field: string, value: string | undefined): FieldError[] => (value ? [] : [required(field)])

/** legacyValidateEvent: what holds in every version. */
function validateLegacy(o: KubeObject, version: string | undefined): FieldError[] {
  const errors: FieldError[] = []
  const own = o.metadata.namespace ?? ''
  const involved: string = o.involvedObject?.namespace ?? ''
  const mismatch = invalid('involvedObject.namespace', involved, 'does not match event.namespace')
  if (!o.eventTime) {
    if (involved === '' ? own !== '' && own !== 'default' : own !== involved) errors.push(mismatch)
  } else {
    if (involved === '' && own !== 'default' && own !== 'kube-system') errors.push(mismatch)
    const controller = strict(version) ? 'reportingController' : 'reportingComponent'
    errors.push(
      ...needed(controller, o.reportingComponent),
      ...invalidEach(controller, o.reportingComponent ?? '', isQualifiedName(o.reportingComponent ?? '')),
      ...needed('reportingInstance', o.reportingInstance),
      ...tooMany('reportingInstance', o.reportingInstance, 128),
      ...needed('action', o.action),
      ...tooMany('action', o.action, 128),
      ...needed('reason', o.reason),
      ...tooMany('reason', o.reason, 128),
      ...tooMany('message', o.message, 1024),
    )
  }
  return [...errors, ...invalidEach('namespace', own, isDNS1123Subdomain(own))]
}

function validateSeries(o: KubeObject): FieldError[] {
  if (!o.series) return []
  return [
    ...((o.series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...needed('series.lastObservedTime', o.series.lastObservedTime),
  ]
}

function validateStrict(o: KubeObject): FieldError[] {
  const unset = (field: string, value: unknown): FieldError[] => (value ? [invalid(field, '', 'needs to be unset')] : [])
  return [
    ...namespacedMeta(o),
    ...validateSeries(o),
    ...needed('eventTime', o.eventTime),
    ...(o.type === 'Normal' || o.type === 'Warning' ? [] : [invalid('type', '', `has invalid value: ${o.type ?? ''}`)]),
    ...unset('firstTimestamp', o.firstTimestamp),
    ...unset('lastTimestamp', o.lastTimestamp),
    ...unset('count', o.count),
    ...unset('source', o.source?.component || o.source?.host),
  ]
}

function validateStrictUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const same = (...fields: string[]): FieldError[] => fields.flatMap((f) => immutable(f, o[f], old[f]))
  return [
    ...metaUpdate(o, old),
    ...(semanticEqual(o.series, old.series) ? [] : validateSeries(o)),
    ...same(
      'involvedObject',
      'reason',
      'message',
      'source',
      'firstTimestamp',
      'lastTimestamp',
      'count',
      'reason',
      'type',
      'eventTime',
      'action',
      'related',
    ),
    ...immutable('reportingController', o.reportingComponent ?? '', old.reportingComponent ?? ''),
    ...same('reportingInstance'),
  ]
}

function defaults(o: KubeObject): void {
  o.metadata ??= {}
  o.involvedObject ??= {}
  o.source ??= {}
  o.firstTimestamp ??= null
  o.lastTimestamp ??= null
  o.eventTime ??= null
  o.reportingComponent ??= ''
  o.reportingInstance ??= ''
}

/** [name in v1, name in events.k8s.io/v1]. */
const renamed: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]

function rename(o: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): KubeObject {
  const out: { [key: string]: unknown } = {}
  for (const [key, value] of Object.entries(o)) out[names.get(key) ?? key] = value
  out.apiVersion = apiVersion
  return out as unknown as KubeObject
}

const toV1Names = new Map(renamed.map(([a, b]) => [b, a]))
const toEventsNames = new Map(renamed)

function toServed(o: KubeObject): KubeObject {
  const out = rename(o, 'events.k8s.io/v1', toEventsNames)
  // Both sides' structs and times are always written.
  out.regarding ??= {}
  out.deprecatedSource ??= {}
  out.deprecatedFirstTimestamp ??= null
  out.deprecatedLastTimestamp ??= null
  return out
}

const firstNonEmpty = (...texts: (string | undefined)[]): string => texts.find((t) => t) ?? ''

function formatSource(o: KubeObject): string {
  const component = firstNonEmpty(o.source?.component, o.reportingComponent)
  const instance = firstNonEmpty(o.source?.host, o.reportingInstance)
  return instance === '' ? component : `${component}, ${instance}`
}

function row(o: KubeObject, nowMs: number): (string | number)[] {
  const first = translateTimestampSince(o.firstTimestamp || o.eventTime, nowMs)
  const last = o.series
    ? translateTimestampSince(o.series.lastObservedTime, nowMs)
    : o.lastTimestamp
      ? translateTimestampSince(o.lastTimestamp, nowMs)
      : first
  const kind = (o.involvedObject?.kind ?? '').toLowerCase()
  return [
    last,
    o.type ?? '',
    o.reason ?? '',
    o.involvedObject?.name ? `${kind}/${o.involvedObject.name}` : kind,
    o.involvedObject?.fieldPath ?? '',
    formatSource(o),
    (o.message ?? '').trim(),
    first,
    o.series ? (o.series.count ?? 0) : o.count || 1,
    o.metadata.name ?? '',
  ]
}

export const event: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  alsoServedAs: [
    {
      group: 'events.k8s.io',
      version: 'v1',
      toServed,
      fromServed: (o) => {
        const out = rename(o, 'v1', toV1Names)
        defaults(out)
        return out
      },
      fieldLabels: {
        reason: 'reason',
        'regarding.kind': 'involvedObject.kind',
        'regarding.namespace': 'involvedObject.namespace',
        'regarding.name': 'involvedObject.name',
        'regarding.uid': 'involvedObject.uid',
        'regarding.apiVersion': 'involvedObject.apiVersion',
        'regarding.resourceVersion': 'involvedObject.resourceVersion',
        'regarding.fieldPath': 'involvedObject.fieldPath',
        reportingController: 'reportingComponent',
        type: 'type',
        'metadata.namespace': 'metadata.namespace',
        'metadata.name': 'metadata.name',
      },
    },
  ],
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  defaults,
  validate: (o, view) => [...validateLegacy(o, view.requestVersion), ...(strict(view.requestVersion) ? validateStrict(o) : [])],
  validateUpdate: (o, old, view) => [
    ...validateLegacy(o, view.requestVersion),
    ...(strict(view.requestVersion) ? validateStrictUpdate(o, old) : []),
  ],
  selectableFields: (o) => {
    const involved = o.involvedObject ?? {}
    return {
      'involvedObject.kind': involved.kind ?? '',
      'involvedObject.namespace': involved.namespace ?? '',
      'involvedObject.name': involved.name ?? '',
      'involvedObject.uid': involved.uid ?? '',
      'involvedObject.apiVersion': involved.apiVersion ?? '',
      'involvedObject.resourceVersion': involved.resourceVersion ?? '',
      'involvedObject.fieldPath': involved.fieldPath ?? '',
      reason: o.reason ?? '',
      reportingComponent: o.reportingComponent ?? '',
      source: firstNonEmpty(o.source?.component, o.reportingComponent),
      type: o.type ?? '',
    }
  },
  columns: eventColumns,
  row,
}
