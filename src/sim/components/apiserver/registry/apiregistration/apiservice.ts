// apiregistration.k8s.io/v1 APIService (kube-aggregator pkg/registry/apiservice, pkg/apis/apiregistration/validation).
import { type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { APIServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isDNS1035Label, isValidPortNum } from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn } from '../apps/columns.ts'
import { decodedLength } from '../core/base64.ts'
import {
  age,
  invalidEach,
  isDNS1123Subdomain,
  keep,
  nowText,
  validateObjectMeta,
  validateObjectMetaUpdate,
  validatePathSegmentName,
} from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'

const statuses = ['True', 'False', 'Unknown']

function validateService(spec: APIServiceSpec): FieldError[] {
  const service = spec.service
  if (!service) {
    return [
      ...(spec.caBundle
        ? [invalid('spec.caBundle', `${decodedLength(spec.caBundle)} bytes`, 'local APIServices may not have a caBundle')]
        : []),
      ...(spec.insecureSkipTLSVerify
        ? [invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify')]
        : []),
    ]
  }
  const port = service.port ?? 0
  const portErrors = isValidPortNum(port)
  return [
    ...(service.namespace ? [] : [required('spec.service.namespace')]),
    ...(service.name ? [] : [required('spec.service.name')]),
    ...(portErrors.length > 0 ? [invalid('spec.service.port', port, `port is not valid: ${portErrors.join(', ')}`)] : []),
    ...(spec.insecureSkipTLSVerify && spec.caBundle
      ? [invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present')]
      : []),
  ]
}

function validate(o: KubeObject): FieldError[] {
  const spec = (o.spec ?? {}) as APIServiceSpec
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec
  const wanted = `${version}.${group}`
  const rule = (name: string): string[] => {
    const failures = validatePathSegmentName(name, false)
    if (failures.length > 0) return failures
    return name === wanted ? [] : [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`]
  }
  return [
    ...validateObjectMeta(o.metadata, false, rule, 'metadata'),
    ...(group === '' && version !== 'v1' ? [required('spec.group', 'only v1 may have an empty group and it better be legacy kube')] : []),
    ...(group === '' ? [] : invalidEach('spec.group', group, isDNS1123Subdomain(group))),
    ...invalidEach('spec.version', version, isDNS1035Label(version)),
    ...(groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000
      ? [invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000')]
      : []),
    ...(versionPriority <= 0 || versionPriority > 1000
      ? [invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000')]
      : []),
    ...validateService(spec),
  ]
}

const conditions = (o: KubeObject): { type: string; status: string; reason?: string }[] => o.status?.conditions ?? []

export const apiService: KindStrategy = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  resource: 'apiservices',
  singular: 'apiservice',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  defaults(o) {
    o.spec ??= {}
    o.spec.groupPriorityMinimum ??= 0
    o.spec.versionPriority ??= 0
    if (o.spec.service) o.spec.service.port ??= 443
    o.status ??= {}
  },
  prepareForCreate(o, view) {
    o.status = o.spec.service
      ? {}
      : {
          conditions: [
            {
              type: 'Available',
              status: 'True',
              lastTransitionTime: nowText(view.nowMs),
              reason: 'Local',
              message: 'Local APIServices are always available',
            },
          ],
        }
  },
  validate,
  prepareForUpdate: (o, old) => keep(o, old, 'status'),
  validateUpdate: (o, old) => [...validateObjectMetaUpdate(o.metadata, old.metadata, 'metadata'), ...validate(o)],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old) {
        keep(o, old, 'spec')
        const metadata = o.metadata as unknown as KubeObject
        for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'])
          keep(metadata, old.metadata as unknown as KubeObject, field)
      },
      validateUpdate: (o, old) => [
        ...validateObjectMetaUpdate(o.metadata, old.metadata, 'metadata'),
        ...conditions(o).flatMap((c, i) =>
          statuses.includes(c.status) ? [] : [notSupported(`status.conditions[${i}].status`, c.status ?? '', statuses)],
        ),
      ],
    },
  },
  columns: [
    nameColumn,
    column('Service', 'string', 'The reference to the service that hosts this API endpoint.'),
    column('Available', 'string', 'Whether this service is available.'),
    ageColumn,
  ],
  row: (o, nowMs) => {
    const service = o.spec?.service
    const available = conditions(o).find((c) => c.type === 'Available')
    const text =
      available === undefined
        ? 'Unknown'
        : available.status === 'True' || !available.reason
          ? available.status
          : `${available.status} (${available.reason})`
    return [o.metadata.name ?? '', service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local', text, age(o, nowMs)]
  },
}
