// Paths inside volumes (pkg/apis/core/validation/validation.go).
import { type FieldError, invalid } from '../../../../api/field.ts'

export const isAbs = (path: string): boolean => path.startsWith('/')

/** validatePathNoBacksteps: no `..` element. */
export const pathNoBacksteps = (path: string, field: string): FieldError[] =>
  path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : []

/** validateLocalDescendingPath: relative and without `..`. */
export const localDescendingPath = (path: string, field: string): FieldError[] => [
  ...(isAbs(path) ? [invalid(field, path, 'must be a relative path')] : []),
  ...pathNoBacksteps(path, field),
]

/** ValidateLocalNonReservedPath: nor may it begin with `..`. */
export const localNonReservedPath = (path: string, field: string): FieldError[] => [
  ...localDescendingPath(path, field),
  ...(path.startsWith('..') && !path.startsWith('../') ? [invalid(field, path, "must not start with '..'")] : []),
]
