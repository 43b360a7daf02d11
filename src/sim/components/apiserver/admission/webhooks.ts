// MutatingAdmissionWebhook and ValidatingAdmissionWebhook: apiserver/pkg/admission/plugin/webhook. No program of the simulation serves
// webhooks, so every call fails, as it would against a Service without a TLS server; failurePolicy says whether the request fails with it.
import { internalError } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { refuse } from '../refusal.ts'
import { environment, isTrue, run } from './policy/evaluate.ts'
import { type MatchResources, matches } from './policy/match.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const GROUP = 'admissionregistration.k8s.io'
const DEFAULT_TIMEOUT_S = 10

interface Webhook extends Omit<MatchResources, 'resourceRules'> {
  readonly name: string
  readonly rules?: MatchResources['resourceRules']
  readonly clientConfig?: {
    readonly url?: string
    readonly service?: { readonly name: string; readonly namespace: string; readonly path?: string; readonly port?: number }
  }
  readonly failurePolicy?: string
  readonly timeoutSeconds?: number
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
}

interface Config extends KubeObject {
  readonly webhooks?: readonly Webhook[]
}

const plugin = (name: string, resource: string, phase: 'admit' | 'validate'): AdmissionPlugin => {
  const callAll = (a: Attributes): undefined => {
    const configs = a.rq.view.list(`${resource}.${GROUP}`) as readonly Config[]
    for (const config of configs) for (const hook of config.webhooks ?? []) if (concerns(config, hook, a)) call(hook, a)
  }
  // A request that could repair a broken webhook must not depend on it.
  const handles = (a: Attributes): boolean => a.group !== GROUP
  return phase === 'admit' ? { name, handles, admit: callAll } : { name, handles, validate: callAll }
}

export const mutatingAdmissionWebhook = plugin('MutatingAdmissionWebhook', 'mutatingwebhookconfigurations', 'admit')
export const validatingAdmissionWebhook = plugin('ValidatingAdmissionWebhook', 'validatingwebhookconfigurations', 'validate')

function concerns(config: Config, { rules = [], matchConditions = [], ...rest }: Webhook, a: Attributes): boolean {
  if (!matches({ ...rest, resourceRules: rules }, a, true)) return false
  if (matchConditions.length === 0) return true
  const env = environment(config, a, undefined)
  return matchConditions.every(({ expression }) => {
    const outcome = run(config, expression, env)
    return 'error' in outcome || isTrue(outcome)
  })
}

function call(hook: Webhook, a: Attributes): void {
  if (hook.failurePolicy === 'Ignore') return
  const { url, service } = hook.clientConfig ?? {}
  const timeout = `timeout=${hook.timeoutSeconds ?? DEFAULT_TIMEOUT_S}s`
  const port = service?.port ?? 443
  const address = service
    ? `https://${service.name}.${service.namespace}.svc:${port}${service.path ?? '/'}?${timeout}`
    : `${url ?? ''}?${timeout}`
  const why = service ? whyServiceFails(a, service.namespace, service.name, port) : whyUrlFails(url ?? '')
  refuse(internalError(`failed calling webhook "${hook.name}": failed to call webhook: Post "${address}": ${why}`))
}

function whyServiceFails(a: Attributes, namespace: string, name: string, port: number): string {
  const { view } = a.rq
  const service = view.get('services', namespace, name)
  if (!service) return `service "${name}" not found`
  if (!((service.spec.ports ?? []) as { port: number }[]).some((p) => p.port === port))
    return `no service port ${port} found for service "${name}"`
  const slices = view
    .list('endpointslices.discovery.k8s.io', namespace)
    .filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name)
  const ready = slices.some((s) =>
    ((s.endpoints ?? []) as { conditions?: { ready?: boolean } }[]).some((e) => e.conditions?.ready !== false),
  )
  return ready
    ? 'http: server gave HTTP response to HTTPS client'
    : `dial tcp ${service.spec.clusterIP}:${port}: connect: connection refused`
}

function whyUrlFails(url: string): string {
  const host = /^https:\/\/([^/:]+)(?::(\d+))?/.exec(url)
  const [, name = '', port = '443'] = host ?? []
  return /^[\d.]+$/.test(name) ? `dial tcp ${name}:${port}: connect: connection refused` : `dial tcp: lookup ${name}: no such host`
}
