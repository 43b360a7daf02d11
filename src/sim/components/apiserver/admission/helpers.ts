// What plugins share: apiserver/pkg/admission/errors.go.
import { forbidden, type Status } from '../../../api/status.ts'
import { Refusal } from '../refusal.ts'
import type { Attributes } from './types.ts'

/** The object's name, or what it will be named after. */
export function nameOf(a: Attributes): string {
  if (a.name !== '') return a.name
  const { name, generateName } = a.object?.metadata ?? {}
  return name || generateName || 'Unknown'
}

export const forbiddenFor = (a: Attributes, why: string): Status => forbidden({ group: a.group, name: a.resource }, nameOf(a), why)

/** admission.NewForbidden. */
export function deny(a: Attributes, why: string): never {
  throw new Refusal(forbiddenFor(a, why))
}

export const isPod = (a: Attributes): boolean => a.group === '' && a.resource === 'pods'
export const isKind = (a: Attributes, group: string, resource: string): boolean => a.group === group && a.resource === resource
