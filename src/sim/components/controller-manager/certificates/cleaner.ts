// pkg/controller/certificates/cleaner: old requests for certificates go.
import type { KubeObject } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'
import { createdAt } from '../runtime/objects.ts'
import { decided, isNotFound, remove, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

export const PERIOD_MS = 3_600_000
export const APPROVED_MS = 3_600_000
export const DENIED_MS = 3_600_000
export const PENDING_MS = 24 * 3_600_000

interface Condition {
  readonly type: string
  readonly lastUpdateTime?: string
}

/** Why the request may go, if it may. */
export function outlived(csr: KubeObject, now: number): string | undefined {
  const conditions = (csr.status?.conditions ?? []) as Condition[]
  const since = (type: string): number | undefined => {
    const c = conditions.find((x) => x.type === type)
    return c && (parseApiTime(c.lastUpdateTime) ?? createdAt(csr))
  }
  const approved = since('Approved')
  if (approved !== undefined && csr.status?.certificate && now - approved > APPROVED_MS) return 'issued'
  const denied = since('Denied') ?? since('Failed')
  if (denied !== undefined && now - denied > DENIED_MS) return 'denied or failed'
  if ((conditions.length === 0 || approved !== undefined) && !csr.status?.certificate && now - createdAt(csr) > PENDING_MS) return 'pending'
  return undefined
}

export const certificateRequestCleaner: Controller<KubeObject> = {
  name: 'certificatesigningrequest-cleaner-controller',
  controller: 'certificatesigningrequest-cleaner-controller',
  serviceAccount: 'certificate-controller',
  workers: 1,
  subject: 'certificatesigningrequests',
  informers: ['certificatesigningrequests'],
  on: {},
  ticks: [{ everyMs: PERIOD_MS, run: (rt) => rt.list('certificatesigningrequests').forEach((csr) => rt.add(csr.metadata.name ?? '')) }],
  observe: (key, rt) => rt.get('certificatesigningrequests', key),
  *reconcile(csr, env): Steps<Outcome | void> {
    const why = outlived(csr, env.now)
    if (why === undefined) return
    yield* decided('delete the old request', { why })
    const answer = yield* remove('certificatesigningrequests', undefined, csr.metadata.name ?? '')
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}
