// core/v1 PodTemplate (pkg/registry/core/podtemplate).
import { dropDisabledTemplateFields } from '../pod/template.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { column, containerCells, nameColumn } from './columns.ts'
import {
  defaultPodTemplate,
  ensureTemplate,
  podTemplateOptions,
  podTemplateWarnings,
  selectorText,
  semanticEqual,
  validatePodTemplateSpec,
} from './common.ts'

export const podTemplate: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  singular: 'podtemplate',
  shortNames: [],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    defaultPodTemplate(ensureTemplate(draft as KubeObject & { template?: object }))
  },
  prepareForCreate(draft) {
    draft.metadata.generation = 1
    dropDisabledTemplateFields(draft.template)
  },
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validatePodTemplateSpec(draft.template, 'template', podTemplateOptions()),
  ],
  createWarnings: (draft) => podTemplateWarnings(draft.template, 'template'),
  prepareForUpdate(draft, old) {
    dropDisabledTemplateFields(draft.template, old.template)
    if (!semanticEqual(draft.template, old.template)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validatePodTemplateSpec(draft.template, 'template', podTemplateOptions(old.template)),
  ],
  warnings: (draft, old) => (draft.metadata.generation === old.metadata.generation ? [] : podTemplateWarnings(draft.template, 'template')),
  columns: [
    nameColumn,
    column('Containers', 'string', 'Names of each container in the template.'),
    column('Images', 'string', 'Images referenced by each container in the template.'),
    column('Pod Labels', 'string', 'The labels for the pod template.'),
  ],
  row: ({ metadata, template }) => [metadata.name ?? '', ...containerCells(template), selectorText(template?.metadata?.labels)],
}
