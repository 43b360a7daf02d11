// certificates.k8s.io/v1 CertificateSigningRequest with its status and approval doors
// (pkg/registry/certificates/certificates, pkg/apis/certificates/validation).
import { cloneJson } from '../../../../../lib/own.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import { goQuote } from '../../../../api/go-text.ts'
import { humanDuration } from '../../../../api/time.ts'
import type {
  CertificateSigningRequestCondition as Condition,
  CertificateSigningRequestSpec,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { decodeText } from '../core/base64.ts'
import { certificateSigningRequestColumns } from '../core/columns.ts'
import { goDiff } from '../core/godiff.ts'
import { goSlice, goString, goStruct } from '../core/gostruct.ts'
import {
  age,
  byteLength,
  clusterMeta,
  isDNS1123Label,
  isDNS1123Subdomain,
  keep,
  metaUpdate,
  nowText,
  semanticEqual,
} from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { pemBlocks } from './pem.ts'

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const legacySigner = 'kubernetes.io/legacy-unknown'
const conditionField = 'status.conditions'

/** ValidateSignerName. */
export function validateSignerName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)]
  const segments = name.split('/')
  const [domain = '', path = ''] = segments
  if (segments.length !== 2)
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  const errors: FieldError[] = []
  if (byteLength(domain) > 253) errors.push(tooLong(field, 253))
  const firstBad = (labels: readonly string[], rule: (l: string) => string[], value: string): void => {
    const bad = labels.find((l) => rule(l).length > 0)
    if (bad !== undefined) errors.push(...rule(bad).map((m) => invalid(field, value, `validating label ${goQuote(bad)}: ${m}`)))
  }
  const domainLabels = domain.split('.')
  firstBad(domainLabels, isDNS1123Label, domain)
  if (domainLabels.length < 2) errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'))
  firstBad(path.split('.'), isDNS1123Subdomain, path)
  if (byteLength(name) > 571) errors.push(tooLong(field, 571))
  return errors
}

/** What is inside the block is not read: see MODEL.md. */
const requestProblem = (base64: string | undefined): string | undefined =>
  pemBlocks(decodeText(base64 ?? ''))[0]?.type === 'CERTIFICATE REQUEST' ? undefined : 'PEM block type must be CERTIFICATE REQUEST'

function certificateProblem(base64: string | undefined): string | undefined {
  if (!base64) return undefined
  const blocks = pemBlocks(decodeText(base64))
  for (const block of blocks) {
    if (block.type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(block.type)}`
    if (block.hasHeaders) return 'no PEM block headers are permitted'
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}

const conditionsOf = (o: KubeObject | undefined): Condition[] => o?.status?.conditions ?? []
const ofType = (o: KubeObject | undefined, type: string): Condition[] => conditionsOf(o).filter((c) => c.type === type)
const hasDuplicates = (values: readonly string[]): boolean => new Set(values).size < values.length

function validateConditions(o: KubeObject, old: KubeObject | undefined): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  const before = conditionsOf(old).map((c) => c.type)
  const bothBefore = before.includes('Approved') && before.includes('Denied')
  let [approved, denied] = [false, false]
  for (const [i, c] of conditionsOf(o).entries()) {
    const path = `${conditionField}[${i}]`
    if (!c.type && !before.includes('')) errors.push(required(`${path}.type`))
    const allowed = ['Approved', 'Denied', 'Failed'].includes(c.type) ? ['True'] : ['False', 'True', 'Unknown']
    if (!c.status) errors.push(required(`${path}.status`))
    else if (!allowed.includes(c.status)) errors.push(notSupported(`${path}.status`, c.status, allowed))
    if (c.type === 'Approved') approved = true
    if (c.type === 'Denied') denied = true
    if (!bothBefore && approved && denied && (c.type === 'Approved' || c.type === 'Denied')) {
      errors.push(invalid(conditionField, c.type, 'Approved and Denied conditions are mutually exclusive'))
    }
    if (!hasDuplicates(before) && seen.has(c.type)) errors.push(duplicate(`${path}.type`, c.type))
    seen.add(c.type)
  }
  return errors
}

function validateUsages(list: readonly string[], before: readonly string[]): FieldError[] {
  const errors: FieldError[] = list.length === 0 ? [required('spec.usages')] : []
  const path = (i: number): string => `spec.usages[${i}]`
  if (before.every((u) => usages.includes(u))) {
    for (const [i, u] of list.entries()) if (!usages.includes(u)) errors.push(notSupported(path(i), u, usages))
  }
  if (!hasDuplicates(before)) for (const [i, u] of list.entries()) if (list.indexOf(u) < i) errors.push(duplicate(path(i), u))
  return errors
}

function validate(o: KubeObject, old?: KubeObject): FieldError[] {
  const spec = (o.spec ?? {}) as CertificateSigningRequestSpec
  const errors = clusterMeta(o, () => [])
  const problem = requestProblem(spec.request)
  if (problem !== undefined)
    errors.push({
      ...invalid('spec.request', spec.request ?? null, problem),
      ...(spec.request ? {} : { badValueText: spec.request === '' ? '""' : 'null' }),
    })
  errors.push(...validateUsages(spec.usages ?? [], old?.spec?.usages ?? []))
  if (spec.signerName === legacySigner && old?.spec?.signerName !== legacySigner) {
    errors.push(invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'))
  } else errors.push(...validateSignerName(spec.signerName ?? '', 'spec.signerName'))
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    errors.push(invalid('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'))
  }
  errors.push(...validateConditions(o, old))
  const [certificate, before] = [o.status?.certificate, old?.status?.certificate]
  const tolerated = old !== undefined && ((certificate ?? '') === (before ?? '') || certificateProblem(before) !== undefined)
  const bad = tolerated ? undefined : certificateProblem(certificate)
  if (bad !== undefined) errors.push(invalid('status.certificate', '<certificate data>', bad))
  return errors
}

const conditionsText = goSlice(
  goStruct(
    ['Type', 'type', goString],
    ['Status', 'status', goString],
    ['Reason', 'reason', goString],
    ['Message', 'message', goString],
    ['LastUpdateTime', 'lastUpdateTime'],
    ['LastTransitionTime', 'lastTransitionTime'],
  ),
)

function validateUpdate(o: KubeObject, old: KubeObject, allow: { approval?: boolean; certificate?: boolean }): FieldError[] {
  const errors = validate(o, old)
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (ofType(o, type).length < ofType(old, type).length)
      errors.push(forbidden(conditionField, `updates may not remove a condition of type "${type}"`))
  }
  if (!allow.approval) {
    for (const type of ['Approved', 'Denied']) {
      const [now, before] = [ofType(o, type), ofType(old, type)]
      if (now.length > before.length) errors.push(forbidden(conditionField, `updates may not add a condition of type "${type}"`))
      else if (now.length === before.length && !semanticEqual(now, before)) {
        errors.push(
          forbidden(
            conditionField,
            `updates may not modify a condition of type "${type}"\n${goDiff(conditionsText(before), conditionsText(now))}`,
          ),
        )
      }
    }
  }
  if ((o.status?.certificate ?? '') !== (old.status?.certificate ?? '')) {
    if (!allow.certificate) errors.push(forbidden('status.certificate', 'updates may not set certificate content'))
    else if (old.status?.certificate) errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
  }
  return [...errors, ...metaUpdate(o, old)]
}

/** Times that a client left out: now, or when the same status began. */
function populateTimes(o: KubeObject, old: KubeObject, nowMs: number): void {
  const now = nowText(nowMs)
  for (const c of conditionsOf(o) as {
    type: string
    status: string
    lastUpdateTime?: string | null
    lastTransitionTime?: string | null
  }[]) {
    c.lastUpdateTime ||= now
    c.lastTransitionTime ||=
      conditionsOf(old).find((b) => b.type === c.type && b.status === c.status && b.lastTransitionTime)?.lastTransitionTime ?? now
  }
}

/** Approved and Denied stay as they were, where their number did not change. */
function preserve(o: KubeObject, old: KubeObject): void {
  for (const type of ['Approved', 'Denied']) {
    const before = ofType(old, type)
    const indices = conditionsOf(o).flatMap((c, i) => (c.type === type ? [i] : []))
    if (before.length === indices.length) for (const [k, i] of indices.entries()) o.status.conditions[i] = cloneJson(before[k])
  }
}

function statusText(o: KubeObject): string {
  const types = conditionsOf(o).map((c) => c.type)
  const verdict = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending'
  return `${verdict}${types.includes('Failed') ? ',Failed' : ''}${o.status?.certificate ? ',Issued' : ''}`
}

export const certificateSigningRequest: KindStrategy = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.request ??= null
    o.spec.signerName ??= ''
    o.status ??= {}
    for (const c of conditionsOf(o) as { type?: string; lastUpdateTime?: string | null; lastTransitionTime?: string | null }[]) {
      c.type ??= ''
      c.lastUpdateTime ??= null
      c.lastTransitionTime ??= null
    }
  },
  prepareForCreate(o, view) {
    const { username: _, uid: __, groups: ___, extra: ____, ...spec } = o.spec
    const { user } = view
    o.spec = {
      ...spec,
      ...(user.name ? { username: user.name } : {}),
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: [...user.groups] } : {}),
      ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    }
    o.status = {}
  },
  validate: (o) => validate(o),
  prepareForUpdate(o, old) {
    keep(o, old, 'spec')
    keep(o, old, 'status')
  },
  validateUpdate: (o, old) => validateUpdate(o, old, {}),
  subresources: {
    approval: {
      does: 'update',
      prepareForUpdate(o, old, view) {
        populateTimes(o, old, view.nowMs)
        const conditions = conditionsOf(o)
        keep(o, old, 'spec')
        const { conditions: _, ...status } = old.status ?? {}
        o.status = { ...status, ...(conditions.length > 0 ? { conditions } : {}) }
      },
      validateUpdate: (o, old) => validateUpdate(o, old, { approval: true }),
    },
    status: {
      does: 'update',
      prepareForUpdate(o, old, view) {
        keep(o, old, 'spec')
        preserve(o, old)
        populateTimes(o, old, view.nowMs)
      },
      validateUpdate: (o, old) => validateUpdate(o, old, { certificate: true }),
    },
  },
  selectableFields: (o) => ({ 'spec.signerName': o.spec?.signerName ?? '' }),
  columns: certificateSigningRequestColumns,
  row: (o, nowMs) => {
    const seconds: number | undefined = o.spec?.expirationSeconds
    return [
      o.metadata.name ?? '',
      age(o, nowMs),
      o.spec?.signerName || '<none>',
      o.spec?.username ?? '',
      seconds === undefined ? '<none>' : humanDuration(seconds * 1000),
      statusText(o),
    ]
  },
}
