// resource.k8s.io/v1 DeviceClass (pkg/registry/resource/deviceclass).
import type { FieldError } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { deviceClassColumns } from '../core/columns.ts'
import { age, clusterMeta, metaUpdate, nameIsDNSSubdomain, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { configuration, listOf, type Opaque, selectors } from './rules.ts'

/** The generated name is judged, not what it was generated from. */
const meta = (o: KubeObject): FieldError[] =>
  clusterMeta(o, (name, prefix) => (prefix ? [] : nameIsDNSSubdomain(name, false).map((m) => m.replace(/ characters$/, ' bytes'))))

const validate = (o: KubeObject, old?: KubeObject): FieldError[] => {
  const stored = old !== undefined && semanticEqual(o.spec?.config, old.spec?.config)
  return [
    ...selectors(o.spec?.selectors, 'spec.selectors'),
    ...listOf(o.spec?.config as Opaque[] | undefined, 32, (c, path) => configuration(c, path, stored), 'spec.config'),
  ]
}

/** Extended resources of classes are behind a feature gate that is off. */
const dropDisabled = (o: KubeObject): void => {
  delete o.spec?.extendedResourceName
}

export const deviceClass: KindStrategy = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  singular: 'deviceclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  deleteReturnsObject: true,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
  },
  prepareForCreate(o) {
    o.metadata.generation = 1
    dropDisabled(o)
  },
  validate: (o) => [...meta(o), ...validate(o)],
  prepareForUpdate(o, old) {
    dropDisabled(o)
    if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (o, old) => [...meta(o), ...metaUpdate(o, old), ...validate(o, old)],
  columns: deviceClassColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', age(o, nowMs)],
}
