// networking.k8s.io/v1 NetworkPolicy (pkg/registry/networking/networkpolicy, pkg/apis/networking/validation).
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { formatLabelSelector } from '../../../../api/labels.ts'
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { cidrContains, isValidCIDRForLegacyField, parseCIDR, warningsForCIDR } from '../../../../api/validation/ip.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { isValidPortName, isValidPortNum, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { semanticEqual } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'

interface Options {
  allowInvalidLabelValueInSelector?: boolean
  /** CIDRs of the stored policy are not checked again. */
  existingCIDRs?: readonly string[]
}

const protocols = ['TCP', 'UDP', 'SCTP']

const each = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (protocol !== undefined && !protocols.includes(protocol)) errors.push(notSupported(`${field}.protocol`, protocol, protocols))
  if (port === undefined) {
    if (endPort !== undefined) errors.push(invalid(`${field}.endPort`, endPort, 'may not be specified when `port` is not specified'))
  } else if (typeof port === 'number') {
    errors.push(...each(`${field}.port`, port, isValidPortNum(port)))
    if (endPort !== undefined) {
      // Upstream quotes the port here, not the end port.
      if (endPort < port) errors.push(invalid(`${field}.endPort`, port, 'must be greater than or equal to `port`'))
      errors.push(...each(`${field}.endPort`, endPort, isValidPortNum(endPort)))
    }
  } else {
    if (endPort !== undefined) errors.push(invalid(`${field}.endPort`, endPort, 'may not be specified when `port` is non-numeric'))
    errors.push(...each(`${field}.port`, port, isValidPortName(port)))
  }
  return errors
}

function validateIPBlock(block: IPBlock, field: string, options: Options): FieldError[] {
  if (!block.cidr) return [required(`${field}.cidr`)]
  const errors = isValidCIDRForLegacyField(`${field}.cidr`, block.cidr, options.existingCIDRs)
  const outer = parseCIDR(block.cidr)
  if (outer === undefined) return errors
  for (const [i, text] of (block.except ?? []).entries()) {
    errors.push(...isValidCIDRForLegacyField(`${field}.except[${i}]`, text, options.existingCIDRs))
    const inner = parseCIDR(text)
    if (inner === undefined) continue
    const inside = cidrContains(outer, { ...inner, value: inner.network })
    if (!inside || outer.prefixLength >= inner.prefixLength)
      errors.push(invalid(`${field}.except[${i}]`, text, 'must be a strict subset of `cidr`'))
  }
  return errors
}

function validatePeer(peer: NetworkPolicyPeer, field: string, options: Options): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const errors = [
    ...validateLabelSelector(podSelector, `${field}.podSelector`, options),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`, options),
    ...(ipBlock === undefined ? [] : validateIPBlock(ipBlock, `${field}.ipBlock`, options)),
  ]
  const count = [podSelector, namespaceSelector, ipBlock].filter((p) => p !== undefined).length
  if (count === 0) errors.push(required(field, 'must specify a peer'))
  else if (count > 1 && ipBlock !== undefined) errors.push(forbidden(field, 'may not specify both ipBlock and another peer'))
  return errors
}

function validateSpec(spec: NetworkPolicySpec, options: Options): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector', options)
  const rule = (
    field: string,
    ports: readonly NetworkPolicyPort[] = [],
    peerField: string,
    peers: readonly NetworkPolicyPeer[] = [],
  ): void => {
    for (const [i, port] of ports.entries()) errors.push(...validatePort(port, `${field}.ports[${i}]`))
    for (const [i, peer] of peers.entries()) errors.push(...validatePeer(peer, `${field}.${peerField}[${i}]`, options))
  }
  for (const [i, r] of (spec.ingress ?? []).entries()) rule(`spec.ingress[${i}]`, r.ports, 'from', r.from)
  for (const [i, r] of (spec.egress ?? []).entries()) rule(`spec.egress[${i}]`, r.ports, 'to', r.to)
  const types: readonly string[] = spec.policyTypes ?? []
  if (types.length > 2) return [...errors, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
  for (const [i, type] of types.entries()) {
    if (type !== 'Ingress' && type !== 'Egress') errors.push(notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']))
  }
  return errors
}

/** Every ipBlock with its path. */
function ipBlocks(spec: NetworkPolicySpec): { block: IPBlock; field: string }[] {
  const blocks: { block: IPBlock; field: string }[] = []
  const add = (peers: readonly NetworkPolicyPeer[] = [], field: string): void => {
    for (const [i, { ipBlock }] of peers.entries())
      if (ipBlock !== undefined) blocks.push({ block: ipBlock, field: `${field}[${i}].ipBlock` })
  }
  for (const [i, r] of (spec.ingress ?? []).entries()) add(r.from, `spec.ingress[${i}].from`)
  for (const [i, r] of (spec.egress ?? []).entries()) add(r.to, `spec.egress[${i}].to`)
  return blocks
}

const validate = (draft: KubeObject, options: Options): FieldError[] => [
  ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
  ...validateSpec(draft.spec, options),
]

function validateUpdate(draft: KubeObject, old: KubeObject): FieldError[] {
  const allowInvalidLabelValueInSelector = validateLabelSelector(old.spec.podSelector, '').length > 0
  const existingCIDRs = ipBlocks(old.spec).flatMap(({ block }) => [block.cidr, ...(block.except ?? [])])
  return [
    ...validate(draft, { allowInvalidLabelValueInSelector }),
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateSpec(draft.spec, { allowInvalidLabelValueInSelector, existingCIDRs }),
  ]
}

const warnings = (draft: KubeObject): string[] =>
  ipBlocks(draft.spec).flatMap(({ block, field }) => [
    ...warningsForCIDR(`${field}.cidr`, block.cidr),
    ...(block.except ?? []).flatMap((cidr, i) => warningsForCIDR(`${field}.except[${i}]`, cidr)),
  ])

export const networkPolicy: KindStrategy = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    draft.spec ??= {}
    const spec = draft.spec as NetworkPolicySpec
    spec.podSelector ??= {}
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    if ((spec.policyTypes?.length ?? 0) === 0) spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  prepareForCreate(draft) {
    draft.metadata.generation = 1
  },
  validate: (draft) => validate(draft, {}),
  createWarnings: warnings,
  prepareForUpdate(draft, old) {
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate,
  warnings,
  columns: [
    nameColumn,
    column(
      'Pod-Selector',
      'string',
      'Selects the pods to which this NetworkPolicy object applies.  The array of ingress rules is applied to any pods selected by this field. Multiple network policies can select the same set of pods.  In this case, the ingress rules for each are combined additively. This field is NOT optional and follows standard label selector semantics. An empty podSelector matches all pods in this namespace.',
    ),
    ageColumn,
  ],
  row: ({ metadata, spec }, nowMs) => [
    metadata.name ?? '',
    formatLabelSelector(spec.podSelector),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}
