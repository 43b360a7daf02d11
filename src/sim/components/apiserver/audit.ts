// The audit log: one audit.k8s.io/v1 Event of level Metadata per request, in the table `audit`.
import { formatMicroTime } from '../../api/time.ts'
import { EPOCH_MS } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { InFlight, User } from './types.ts'

export interface AuditEvent {
  readonly kind: 'Event'
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly level: 'Metadata'
  readonly auditID: string
  readonly stage: 'ResponseComplete' | 'ResponseStarted'
  readonly requestURI: string
  readonly verb: string
  readonly user: { readonly username: string; readonly uid?: string; readonly groups: readonly string[]; readonly extra?: User['extra'] }
  readonly impersonatedUser?: { readonly username: string; readonly groups: readonly string[] }
  readonly sourceIPs: readonly string[]
  readonly userAgent?: string
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly apiGroup?: string
    readonly apiVersion: string
    readonly subresource?: string
  }
  readonly responseStatus: {
    readonly metadata: Record<string, never>
    readonly code: number
    readonly message?: string
    readonly reason?: string
    readonly status?: string
  }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations: Readonly<Record<string, string>>
}

/** Entries kept; older ones are dropped. */
const KEPT = 20_000

export const auditTable = (ctx: Context) => ctx.table<AuditEvent>('audit')
const auditKey = (n: number): string => String(n).padStart(10, '0')

export function audit(
  ctx: Context,
  item: InFlight,
  answer: { code: number; message?: string; reason?: string; failed?: boolean; name?: string },
  stage: AuditEvent['stage'] = 'ResponseComplete',
): void {
  const { info, user, impersonator } = item
  const who = impersonator ?? user
  const name = info.name || answer.name
  const event: AuditEvent = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: item.auditID,
    stage,
    requestURI: item.request.path,
    verb: info.verb,
    user: { username: who.name, ...(who.uid ? { uid: who.uid } : {}), groups: who.groups, ...(who.extra ? { extra: who.extra } : {}) },
    ...(impersonator ? { impersonatedUser: { username: user.name, groups: user.groups } } : {}),
    sourceIPs: [item.request.sourceIP],
    ...(item.request.headers['user-agent'] ? { userAgent: item.request.headers['user-agent'] } : {}),
    ...(info.isResource
      ? {
          objectRef: {
            resource: info.resource,
            ...(info.namespace ? { namespace: info.namespace } : {}),
            ...(name ? { name } : {}),
            ...(info.group ? { apiGroup: info.group } : {}),
            apiVersion: info.version,
            ...(info.subresource ? { subresource: info.subresource } : {}),
          },
        }
      : {}),
    responseStatus: {
      metadata: {},
      ...(answer.failed
        ? { status: 'Failure', ...(answer.message ? { message: answer.message } : {}), ...(answer.reason ? { reason: answer.reason } : {}) }
        : {}),
      code: answer.code,
    },
    requestReceivedTimestamp: formatMicroTime(EPOCH_MS + item.receivedAt),
    stageTimestamp: formatMicroTime(EPOCH_MS + ctx.now),
    annotations: {
      'authorization.k8s.io/decision': answer.code === 403 && item.decision === '' ? 'forbid' : 'allow',
      'authorization.k8s.io/reason': item.decision,
    },
  }
  const counter = ctx.table<number>('counters')
  const n = (counter.get('audit') ?? 0) + 1
  counter.put('audit', n)
  auditTable(ctx).put(auditKey(n), event)
  if (n > KEPT) auditTable(ctx).delete(auditKey(n - KEPT))
}
