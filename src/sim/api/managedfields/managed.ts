// managedFields entries: apimachinery pkg/util/managedfields/internal/managedfields.go.
import { compareStrings } from '../../../lib/compare.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'
import { parseTime } from '../time.ts'
import type { ManagedFieldsEntry } from '../types/kubernetes.gen.ts'
import { type FieldSet, fromFieldsV1, toFieldsV1 } from './fieldset.ts'

export interface VersionedSet {
  readonly set: FieldSet
  readonly apiVersion: string
  readonly applied: boolean
}

/** By manager identifier. Copied before it is changed. */
export interface Managed {
  readonly fields: Map<string, VersionedSet>
  readonly times: Map<string, string | undefined>
}

export const emptyManaged = (): Managed => ({ fields: new Map(), times: new Map() })

/** What tells managers apart: name, operation, subresource, and the version of those that update. */
export const managerIdentifier = (entry: Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string =>
  JSON.stringify({
    ...(entry.manager ? { manager: entry.manager } : {}),
    ...(entry.operation ? { operation: entry.operation } : {}),
    ...(entry.apiVersion && entry.operation !== 'Apply' ? { apiVersion: entry.apiVersion } : {}),
    ...(entry.subresource ? { subresource: entry.subresource } : {}),
  })

export const identityOf = (identifier: string): ManagedFieldsEntry => JSON.parse(identifier) as ManagedFieldsEntry

export const decodeManagedFields = (entries: readonly ManagedFieldsEntry[] | undefined): Result<Managed> => {
  const managed = emptyManaged()
  for (const [i, entry] of (entries ?? []).entries()) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return fail('operation must be `Apply` or `Update`')
    if (!entry.apiVersion) return fail('apiVersion must not be empty')
    if (!entry.fieldsType) return fail(`missing fieldsType in managed fields entry ${i}`)
    if (entry.fieldsType !== 'FieldsV1') return fail(`invalid fieldsType ${JSON.stringify(entry.fieldsType)} in managed fields entry ${i}`)
    const id = managerIdentifier(entry)
    managed.fields.set(id, { set: fromFieldsV1(entry.fieldsV1), apiVersion: entry.apiVersion, applied: entry.operation === 'Apply' })
    managed.times.set(id, entry.time)
  }
  return ok(managed)
}

const seconds = (time: string | undefined): number => Math.floor((parseTime(time) ?? 0) / 1000)

/** Appliers first, then by time, name, version and subresource. Undefined when nobody owns anything. */
export const encodeManagedFields = (managed: Managed): ManagedFieldsEntry[] | undefined => {
  if (managed.fields.size === 0) return undefined
  const entries = [...managed.fields].map(([id, versioned]): ManagedFieldsEntry => {
    const { manager, operation, subresource } = identityOf(id)
    const time = managed.times.get(id)
    return {
      ...(manager ? { manager } : {}),
      operation: versioned.applied ? 'Apply' : (operation ?? 'Update'),
      apiVersion: versioned.apiVersion,
      ...(time ? { time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(versioned.set),
      ...(subresource ? { subresource } : {}),
    }
  })
  return entries.sort(
    (a, b) =>
      compareStrings(a.operation ?? '', b.operation ?? '') ||
      seconds(a.time) - seconds(b.time) ||
      compareStrings(a.manager ?? '', b.manager ?? '') ||
      compareStrings(a.apiVersion ?? '', b.apiVersion ?? '') ||
      compareStrings(a.subresource ?? '', b.subresource ?? ''),
  )
}
