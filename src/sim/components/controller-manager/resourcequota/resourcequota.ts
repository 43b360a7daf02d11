// pkg/controller/resourcequota: status.hard and status.used of quotas; admission counts up at once, this counts again.
import { deepEqual } from '../../../../lib/compare.ts'
import { calculateUsage, countsAgainstQuota, resourceOfLimit } from '../../../api/quota.ts'
import { canonicalQuantity, compareQuantities } from '../../../api/quantity.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import { discovered } from '../runtime/discovered.ts'
import { collectionPath, RESOURCES, type Resource } from '../runtime/resources.ts'
import { decided, must, updateStatus } from '../runtime/steps.ts'
import type { Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'

/** `--resource-quota-sync-period`. */
const FULL_RESYNC_MS = 300_000

interface Observed {
  readonly quota: KubeObject
  readonly usage: Readonly<Record<string, string>>
}

const counted = RESOURCES.filter((r) => r.namespaced && r.plural !== 'events' && r.plural !== 'leases')

/** Of all changes only those that free something make the controller look: deletions, and pods that came to an end. */
const frees = (type: string, r: Resource, object: KubeObject, old: KubeObject | undefined, now: number): boolean => {
  if (type === 'DELETED') return true
  if (!old) return false
  if (r.name === 'pods') return countsAgainstQuota(old, now) !== countsAgainstQuota(object, now)
  if (r.name === 'services') return old.spec?.type !== object.spec?.type
  return r.name === 'persistentvolumeclaims' && !deepEqual(old.spec?.resources, object.spec?.resources)
}

export const resourceQuotaController: Controller<Observed> = {
  name: 'resourcequota-controller',
  controller: 'resourcequota-controller',
  serviceAccount: 'resourcequota-controller',
  workers: 5,
  subject: 'resourcequotas',
  informers: [
    'resourcequotas',
    'pods',
    'services',
    'persistentvolumeclaims',
    'configmaps',
    'secrets',
    'replicationcontrollers',
    'customresourcedefinitions',
  ],
  on: {
    resourcequotas(rt, { type, key, object, old }) {
      if (type === 'ADDED' || (type === 'MODIFIED' && !deepEqual(old?.spec, object.spec))) rt.add(key)
    },
  },
  onAny(rt, { informer, type, object, old }) {
    const r =
      counted.find((c) => c.name === informer) ??
      (type === 'DELETED' ? discovered(rt).find((c) => c.name === informer && c.namespaced) : undefined)
    if (!r || !frees(type, r, object, old, EPOCH_MS + rt.now)) return
    for (const quota of rt.list('resourcequotas', object.metadata.namespace)) {
      const about = Object.keys(quota.spec?.hard ?? {}).some((name) => {
        const limit = resourceOfLimit(name)
        return limit?.resource === r.plural && limit.group === r.group
      })
      if (about) rt.add(`${quota.metadata.namespace}/${quota.metadata.name}`)
    }
  },
  start(rt) {
    for (const r of counted) rt.watch(r.name, collectionPath(r))
  },
  ticks: [
    {
      everyMs: FULL_RESYNC_MS,
      run: (rt) => rt.list('resourcequotas').forEach((q) => rt.add(`${q.metadata.namespace}/${q.metadata.name}`)),
    },
  ],
  observe(key, rt) {
    const quota = rt.get('resourcequotas', key)
    return quota ? { quota, usage: usageOf(quota, rt) } : undefined
  },
  *reconcile({ quota, usage }): Steps<Outcome | void> {
    const hard = (quota.spec?.hard ?? {}) as Record<string, string>
    const old = (quota.status?.used ?? {}) as Record<string, string>
    const used: Record<string, string> = {}
    for (const name of Object.keys(hard)) {
      const value = usage[name] ?? old[name]
      if (value !== undefined) used[name] = canonicalQuantity(value)
    }
    const same =
      quota.status?.hard !== undefined && quota.status?.used !== undefined && sameAmounts(hard, quota.status.hard) && sameAmounts(used, old)
    if (same) return
    yield* decided('count anew', { limits: Object.keys(hard).length })
    must(yield* updateStatus('resourcequotas', { ...quota, status: { hard, used } }))
  },
}

const usageOf = (quota: KubeObject, rt: Runtime): Record<string, string> => {
  const all = discovered(rt)
  return calculateUsage(
    quota,
    ({ group, resource }) => {
      const r = all.find((x) => x.group === group && x.plural === resource && x.namespaced)
      return r ? rt.list(r.name, quota.metadata.namespace) : undefined
    },
    EPOCH_MS + rt.now,
  )
}

const sameAmounts = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([k, v]) => Object.hasOwn(b, k) && compareQuantities(v, b[k] as string) === 0)
