// networking.k8s.io/v1 Ingress (pkg/registry/networking/ingress, pkg/apis/networking/validation).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, notSupported, required } from '../../../../api/field.ts'
import type { HTTPIngressPath, IngressBackend, IngressRule, IngressSpec, IngressTLS } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidIPForLegacyField, parseIP, warningsForIP } from '../../../../api/validation/ip.ts'
import {
  isDNS1123Subdomain,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
  nameIsDNS1035Label,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
} from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { ensureSpec, semanticEqual } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { validateTypedLocalReference } from './reference.ts'

/** What an existing Ingress may keep. */
interface Leniency {
  secretName?: boolean
  wildcardHostRule?: boolean
  relaxedServiceName?: boolean
}

const classAnnotation = 'kubernetes.io/ingress.class'
const each = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

function validateBackend(backend: IngressBackend | undefined, field: string, lenient: Leniency): FieldError[] {
  const { service, resource } = backend ?? {}
  if (service !== undefined && resource !== undefined) return [invalid(field, '', 'cannot set both resource and service backends')]
  if (resource !== undefined) return validateTypedLocalReference(resource, `${field}.resource`)
  if (service === undefined) return [invalid(field, '', 'resource or service backend is required')]
  const rule = lenient.relaxedServiceName ? nameIsDNSLabel : nameIsDNS1035Label
  const errors = service.name ? each(`${field}.service.name`, service.name, rule(service.name, false)) : [required(`${field}.service.name`)]
  const { name, number } = service.port ?? {}
  if (name && number) errors.push(invalid(field, '', 'cannot set both port name & port number'))
  else if (name) errors.push(...each(`${field}.service.port.name`, name, isValidPortName(name)))
  else if (number) errors.push(...each(`${field}.service.port.number`, number, isValidPortNum(number)))
  else errors.push(required(field, 'port name or number is required'))
  return errors
}

const invalidSequences = ['//', '/./', '/../', '%2f', '%2F']
const invalidSuffixes = ['/..', '/.']
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']

function validatePath(item: HTTPIngressPath, field: string, lenient: Leniency): FieldError[] {
  const { pathType, path = '' } = item
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')]
  const errors: FieldError[] = []
  const absolute = (): void => {
    if (!path.startsWith('/')) errors.push(invalid(`${field}.path`, path, 'must be an absolute path'))
  }
  if (pathType === 'Exact' || pathType === 'Prefix') {
    absolute()
    for (const s of invalidSequences) if (path.includes(s)) errors.push(invalid(`${field}.path`, path, `must not contain '${s}'`))
    for (const s of invalidSuffixes) if (path.endsWith(s)) errors.push(invalid(`${field}.path`, path, `cannot end with '${s}'`))
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '') absolute()
  } else errors.push(notSupported(`${field}.pathType`, pathType, pathTypes))
  return [...errors, ...validateBackend(item.backend, `${field}.backend`, lenient)]
}

function validateRuleValue(rule: IngressRule, field: string, lenient: Leniency): FieldError[] {
  if (rule.http === undefined) return []
  const paths = rule.http.paths ?? []
  if (paths.length === 0) return [required(`${field}.http.paths`)]
  return paths.flatMap((path, i) => validatePath(path, `${field}.http.paths[${i}]`, lenient))
}

function validateRule(rule: IngressRule, field: string, lenient: Leniency): FieldError[] {
  const errors: FieldError[] = []
  const host = rule.host ?? ''
  const wildcard = host.includes('*')
  if (host !== '') {
    if (parseIP(host) !== undefined) errors.push(invalid(`${field}.host`, host, 'must be a DNS name, not an IP address'))
    errors.push(...each(`${field}.host`, host, wildcard ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host)))
  }
  if (!wildcard || !lenient.wildcardHostRule) errors.push(...validateRuleValue(rule, field, lenient))
  return errors
}

function validateTLS(tls: IngressTLS, field: string, lenient: Leniency): FieldError[] {
  const errors = (tls.hosts ?? []).flatMap((host, i) =>
    each(`${field}.hosts[${i}]`, host, host.includes('*') ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host)),
  )
  if (!lenient.secretName && tls.secretName)
    errors.push(...each(`${field}.secretName`, tls.secretName, nameIsDNSSubdomain(tls.secretName, false)))
  return errors
}

function validateSpec(spec: IngressSpec, lenient: Leniency): FieldError[] {
  const rules = spec.rules ?? []
  const errors: FieldError[] = []
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (spec.defaultBackend !== undefined) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend', lenient))
  for (const [i, rule] of rules.entries()) errors.push(...validateRule(rule, `spec.rules[${i}]`, lenient))
  for (const [i, tls] of (spec.tls ?? []).entries()) errors.push(...validateTLS(tls, `spec.tls[${i}]`, lenient))
  if (spec.ingressClassName !== undefined) {
    errors.push(...each('spec.ingressClassName', spec.ingressClassName, nameIsDNSSubdomain(spec.ingressClassName, false)))
  }
  return errors
}

const validateIngress = (draft: KubeObject, lenient: Leniency): FieldError[] => [
  ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
  ...validateSpec(draft.spec, lenient),
]

function validate(draft: KubeObject): FieldError[] {
  const errors = validateIngress(draft, {})
  const annotation = draft.metadata.annotations?.[classAnnotation]
  const className = draft.spec.ingressClassName
  if (annotation !== undefined && className !== undefined && annotation !== className) {
    errors.push(invalid(`annotations.${classAnnotation}`, annotation, 'must match `ingressClassName` when both are specified'))
  }
  return errors
}

function leniencyOf(old: IngressSpec): Leniency {
  const relaxed = (backend: IngressBackend | undefined): boolean => {
    const name = backend?.service?.name
    return name !== undefined && nameIsDNSLabel(name, false).length === 0 && nameIsDNS1035Label(name, false).length > 0
  }
  const rules = old.rules ?? []
  return {
    secretName: (old.tls ?? []).some(
      (t) => t.secretName !== undefined && t.secretName !== '' && nameIsDNSSubdomain(t.secretName, false).length > 0,
    ),
    wildcardHostRule: rules.some((r) => (r.host ?? '').includes('*') && validateRuleValue(r, '', {}).length > 0),
    relaxedServiceName: relaxed(old.defaultBackend) || rules.some((r) => (r.http?.paths ?? []).some((p) => relaxed(p.backend))),
  }
}

interface LoadBalancerIngress {
  ip?: string
  hostname?: string
}

const ingressOf = (object: KubeObject | undefined): LoadBalancerIngress[] => object?.status?.loadBalancer?.ingress ?? []

function validateStatus(draft: KubeObject, old: KubeObject): FieldError[] {
  const existing = ingressOf(old).flatMap((i) => (i.ip ? [i.ip] : []))
  return ingressOf(draft).flatMap(({ ip, hostname }, i) => {
    const field = `status.loadBalancer.ingress[${i}]`
    const errors = ip ? isValidIPForLegacyField(`${field}.ip`, ip, existing) : []
    if (hostname) {
      errors.push(...each(`${field}.hostname`, hostname, isDNS1123Subdomain(hostname)))
      if (parseIP(hostname) !== undefined) errors.push(invalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address'))
    }
    return errors
  })
}

function hostsCell(rules: readonly IngressRule[]): string {
  const max = 3
  const list: string[] = []
  let more = false
  for (const { host } of rules) {
    if (list.length === max) more = true
    if (!more && host) list.push(host)
  }
  if (list.length === 0) return '*'
  return more ? `${list.join(',')} + ${rules.length - max} more...` : list.join(',')
}

export const ingress: KindStrategy = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    draft.status.loadBalancer ??= {}
    const spec = draft.spec as IngressSpec
    const backends = [spec.defaultBackend, ...(spec.rules ?? []).flatMap((r) => (r.http?.paths ?? []).map((p) => p.backend))]
    for (const backend of backends) if (backend?.service !== undefined) backend.service.port ??= {}
  },
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} }
    draft.metadata.generation = 1
  },
  validate,
  createWarnings: (draft) =>
    Object.hasOwn(draft.metadata.annotations ?? {}, classAnnotation) && draft.spec.ingressClassName === undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  prepareForUpdate(draft, old) {
    draft.status = old.status
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateIngress(draft, leniencyOf(old.spec)),
  ],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...validateStatus(draft, old),
      ],
      warnings: (draft) => ingressOf(draft).flatMap(({ ip }, i) => (ip ? warningsForIP(`status.loadBalancer.ingress[${i}]`, ip) : [])),
    },
  },
  columns: [
    nameColumn,
    column('Class', 'string', 'The name of the IngressClass resource that should be used for additional configuration'),
    column('Hosts', 'string', 'Hosts that incoming requests are matched against before the ingress rule'),
    column('Address', 'string', 'Address is a list containing ingress points for the load-balancer'),
    column('Ports', 'string', 'Ports of TLS configurations that open'),
    ageColumn,
  ],
  row: (object, nowMs) => [
    object.metadata.name ?? '',
    object.spec.ingressClassName ?? '<none>',
    hostsCell(object.spec.rules ?? []),
    [...new Set(ingressOf(object).flatMap((i) => (i.ip || i.hostname ? [i.ip || i.hostname || ''] : [])))].sort().join(','),
    (object.spec.tls?.length ?? 0) > 0 ? '80, 443' : '80',
    translateTimestampSince(object.metadata.creationTimestamp, nowMs),
  ],
}
