// WATCH: handlers/get.go, handlers/watch.go. The plan; serving is in ../watch/.
import { unknownError } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import type { Plan } from '../types.ts'
import { versionError } from './get.ts'
import { listOptions } from './list-options.ts'
import type { ResourceRq } from './request.ts'
import { selection } from './selectors.ts'

export function planWatch(rq: ResourceRq): Plan {
  const options = listOptions({ ...rq, info: { ...rq.info, verb: 'watch' } })
  const { served } = rq
  const select = selection(served, options.labelSelector, options.fieldSelector)
  const version = options.resourceVersion
  if (version !== '' && !/^\d+$/.test(version)) refuse(unknownError(versionError(version)))
  const from = Number(version || '0')
  const unset = version === '' || version === '0'
  const initial = options.sendInitialEvents ?? unset
  // Without a version the client wants the most recent state, not any that the cache may still have.
  if (version === '' && !rq.fresh) rq.need('fresh', { kind: 'fresh' })
  if (!unset) rq.need(`revision/${version}`, { kind: 'revision', revision: from })
  return {
    do: 'watch',
    watch: {
      cache: served.id,
      group: served.group,
      version: served.version,
      namespace: served.strategy.namespaced ? rq.info.namespace : '',
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      ...(select.nodeName === undefined ? {} : { nodeName: select.nodeName }),
      accept: rq.request.headers.accept ?? '',
      bookmarks: options.allowWatchBookmarks,
      initial,
      initialEndBookmark: options.sendInitialEvents === true,
      from: unset ? rq.view.revision : from,
      ...(options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds }),
    },
  }
}
