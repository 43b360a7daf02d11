import type { TraceLevel } from '../record.ts'

/** The actor of these records is the server, e.g. `kube-apiserver/control-plane`. `request` is the audit id: one request's records share it. */
export interface ApiserverTrace {
  'apiserver.request.received': {
    request: string
    method: string
    path: string
    verb: string
    resource?: string
    subresource?: string
    namespace?: string
    name?: string
    userAgent?: string
  }
  'apiserver.authn.succeeded': {
    request: string
    user: string
    groups: readonly string[]
    by: 'client certificate' | 'bearer token' | 'service account token' | 'anonymous'
  }
  'apiserver.authn.failed': { request: string; why: string }
  'apiserver.authn.impersonated': { request: string; user: string; impersonated: string }
  'apiserver.flow.classified': { request: string; flowSchema: string; priorityLevel: string }
  'apiserver.authz.allowed': { request: string; user: string; verb: string; resource: string; reason: string }
  'apiserver.authz.denied': { request: string; user: string; verb: string; resource: string; reason: string }
  'apiserver.admission.mutated': { request: string; plugin: string; what: string }
  'apiserver.admission.denied': { request: string; plugin: string; message: string }
  'apiserver.validation.failed': { request: string; errors: readonly string[] }
  /** Someone else wrote first: the request is planned again on the newer state. */
  'apiserver.conflict.retried': { request: string; keys: readonly string[] }
  'apiserver.stored': { request: string; what: 'create' | 'update' | 'delete'; key: string; revision: number }
  'apiserver.responded': { request: string; code: number; verb: string; resource: string; user: string; tookMs: number; message?: string }
  'apiserver.watch.opened': {
    request: string
    resource: string
    namespace?: string
    labelSelector?: string
    fieldSelector?: string
    from: number
    initialEvents: number
  }
  'apiserver.watch.closed': { resource: string; why: 'client went away' | 'timeout' | 'shutdown' }
  'apiserver.cache.ready': { revision: number; objects: number }
  'apiserver.etcd.failed': { member: string; error: string }
}

export const apiserverLevels: Record<keyof ApiserverTrace, TraceLevel> = {
  'apiserver.request.received': 'detail',
  'apiserver.authn.succeeded': 'detail',
  'apiserver.authn.failed': 'story',
  'apiserver.authn.impersonated': 'detail',
  'apiserver.flow.classified': 'detail',
  'apiserver.authz.allowed': 'detail',
  'apiserver.authz.denied': 'story',
  'apiserver.admission.mutated': 'detail',
  'apiserver.admission.denied': 'story',
  'apiserver.validation.failed': 'story',
  'apiserver.conflict.retried': 'detail',
  'apiserver.stored': 'story',
  'apiserver.responded': 'detail',
  'apiserver.watch.opened': 'detail',
  'apiserver.watch.closed': 'detail',
  'apiserver.cache.ready': 'story',
  'apiserver.etcd.failed': 'detail',
}
