// Metadata rules of the built-in kinds: the generic ones and the check of finalizer names (pkg/apis/core/validation/validation.go).
import type { FieldError } from '../../../../api/field.ts'
import { invalid } from '../../../../api/field.ts'
import type { ObjectMeta } from '../../../../api/types/kubernetes.gen.ts'
import type { ValidateNameFunc } from '../../../../api/validation/names.ts'
import * as generic from '../../../../api/validation/objectmeta.ts'

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

function validateKubeFinalizers(meta: ObjectMeta, field: string): FieldError[] {
  return (meta.finalizers ?? []).flatMap((name, i) =>
    name.includes('/') || standardFinalizers.includes(name)
      ? []
      : [invalid(`${field}.finalizers[${i}]`, name, 'name is neither a standard finalizer name nor is it fully qualified')],
  )
}

export const validateObjectMeta = (meta: ObjectMeta, namespaced: boolean, nameFn: ValidateNameFunc, field: string): FieldError[] => [
  ...generic.validateObjectMeta(meta, namespaced, nameFn, field),
  ...validateKubeFinalizers(meta, field),
]

export const validateObjectMetaUpdate = (meta: ObjectMeta, old: ObjectMeta, field: string): FieldError[] => [
  ...generic.validateObjectMetaUpdate(meta, old, field),
  ...validateKubeFinalizers(meta, field),
]
