// node.k8s.io/v1 RuntimeClass (pkg/registry/node/runtimeclass, pkg/apis/node/validation).
import { stableStringify } from '../../../../../lib/stringify.ts'
import { duplicate, type FieldError } from '../../../../api/field.ts'
import type { Toleration } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabels } from '../../../../api/validation/labels.ts'
import { runtimeClassColumns } from '../core/columns.ts'
import { goString, goStruct } from '../core/gostruct.ts'
import {
  age,
  immutable,
  invalidEach,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../core/rules.ts'
import { keysOf } from '../pod/maps.ts'
import { validateOverhead } from '../pod/resources.ts'
import { validateTolerations } from '../pod/tolerations.ts'
import { deprecatedNodeLabelMessage } from '../pod/warnings.ts'
import type { KindStrategy } from '../strategy.ts'

const tolerationText = goStruct(
  ['Key', 'key', goString],
  ['Operator', 'operator', goString],
  ['Value', 'value', goString],
  ['Effect', 'effect', goString],
  ['TolerationSeconds', 'tolerationSeconds'],
)

function validateScheduling(o: KubeObject): FieldError[] {
  if (!o.scheduling) return []
  const tolerations: Toleration[] = o.scheduling.tolerations ?? []
  const errors = [
    ...validateLabels(o.scheduling.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(tolerations, 'scheduling.tolerations', {}),
  ]
  const seen = new Set<string>()
  for (const [i, t] of tolerations.entries()) {
    const key = stableStringify([t.key ?? '', t.operator ?? '', t.value ?? '', t.effect ?? ''])
    if (seen.has(key)) errors.push({ ...duplicate(`scheduling.tolerations[${i}]`, t), badValueText: tolerationText(t) })
    seen.add(key)
  }
  return errors
}

const validate = (o: KubeObject): FieldError[] => [
  ...validateObjectMeta(o.metadata, false, nameIsDNSSubdomain, 'metadata'),
  ...invalidEach('handler', o.handler ?? '', nameIsDNSLabel(o.handler ?? '', false)),
  ...(o.overhead ? validateOverhead(o.overhead.podFixed ?? {}, 'overhead', {}) : []),
  ...validateScheduling(o),
]

const warnings = (o: KubeObject): string[] =>
  keysOf(o.scheduling?.nodeSelector).flatMap((key) => {
    const message = deprecatedNodeLabelMessage(key)
    return message === undefined ? [] : [`scheduling.nodeSelector: ${message}`]
  })

export const runtimeClass: KindStrategy = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  singular: 'runtimeclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  allowCreateOnUpdate: true,
  defaults(o) {
    o.handler ??= ''
  },
  validate,
  createWarnings: warnings,
  validateUpdate: (o, old) => [
    ...validate(o),
    ...validateObjectMetaUpdate(o.metadata, old.metadata, 'metadata'),
    ...immutable('handler', o.handler, old.handler),
  ],
  warnings,
  columns: runtimeClassColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.handler ?? '', age(o, nowMs)],
}
