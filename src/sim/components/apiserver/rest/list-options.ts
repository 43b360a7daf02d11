// ListOptions from the query, with upstream's checks: metainternalversion/validation ValidateListOptions.
import { forbidden, invalid as invalidField, notSupported, type FieldError } from '../../../api/field.ts'
import { badRequest, invalid } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import { queryBool, queryValue } from '../request-info.ts'
import { queryInt } from './options.ts'
import type { Rq } from './request.ts'

export interface ListOptions {
  readonly watch: boolean
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly limit: number
  readonly continue: string
  readonly timeoutSeconds: number | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

export function listOptions(rq: Rq): ListOptions {
  const { query } = rq.info
  const text = (key: string): string => queryValue(query, key) ?? ''
  const options: ListOptions = {
    watch: rq.info.verb === 'watch' || queryBool(query, 'watch') === true,
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    limit: queryInt(rq, 'limit') ?? 0,
    continue: text('continue'),
    timeoutSeconds: queryInt(rq, 'timeoutSeconds'),
    allowWatchBookmarks: queryBool(query, 'allowWatchBookmarks') === true,
    sendInitialEvents: queryBool(query, 'sendInitialEvents'),
  }
  const errors = options.watch ? watchErrors(options) : listErrors(options)
  if (errors.length > 0) refuse(invalid({ group: 'meta.k8s.io', name: 'ListOptions' }, '', errors))
  if (!options.watch && options.continue !== '' && options.resourceVersion !== '' && options.resourceVersion !== '0') {
    refuse(badRequest('specifying resource version is not allowed when using continue'))
  }
  return options
}

const MATCHES = ['Exact', 'NotOlderThan', '']

function listErrors(o: ListOptions): FieldError[] {
  const errors: FieldError[] = []
  const match = o.resourceVersionMatch
  if (match !== '') {
    if (o.resourceVersion === '')
      errors.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (o.continue !== '') errors.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
    if (!MATCHES.includes(match)) errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && o.resourceVersion === '0') {
      errors.push(forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    }
  }
  if (o.sendInitialEvents !== undefined) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  return errors
}

function watchErrors(o: ListOptions): FieldError[] {
  const errors: FieldError[] = []
  const match = o.resourceVersionMatch
  if (match !== '' && o.sendInitialEvents === undefined)
    errors.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  if (o.sendInitialEvents !== undefined) {
    if (match !== 'NotOlderThan') {
      errors.push(forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
      if (match !== '' && !MATCHES.includes(match)) errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']))
    }
  }
  if (o.continue !== '') errors.push(invalidField('continue', o.continue, 'may not be specified for watch'))
  return errors
}
