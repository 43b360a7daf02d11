// Label and field selectors of reads, checked and compiled.
import { fieldSelectorMatches, parseFieldSelector, requiresExactField, type FieldSelector } from '../../../api/fieldselector.ts'
import { everything, parseSelector, type Selector } from '../../../api/labels.ts'
import { badRequest } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { hasOwn } from '../../../../lib/own.ts'
import { refuse } from '../refusal.ts'
import type { Served } from '../registry/index.ts'

export interface Selection {
  readonly labels: Selector
  readonly fields: FieldSelector
  /** metadata.name if the selector requires one. */
  readonly name: string | undefined
  readonly nodeName: string | undefined
  readonly all: boolean
}

const NO_FIELDS: FieldSelector = { requirements: [] }

/** Kinds whose conversion function for field labels is registered by hand refuse unknown labels in shorter words. */
const shortText = (served: Served): boolean => Object.keys(served.strategy.selectableFields?.(EMPTY) ?? {}).some((k) => k !== 'name')

/** @throws Refusal 400 for what cannot be parsed or selected. */
export function selection(served: Served, labelText: string, fieldText: string): Selection {
  const labels = labelText === '' ? { value: everything } : parseSelector(labelText)
  if (labels.value === undefined) refuse(badRequest(labels.error as string))
  const fields = fieldText === '' ? { value: NO_FIELDS } : parseFieldSelector(fieldText)
  if (fields.value === undefined) refuse(badRequest(fields.error as string))
  for (const { field } of fields.value.requirements) checkField(served, field)
  return {
    labels: labels.value,
    fields: fields.value,
    name: requiresExactField(fields.value, 'metadata.name'),
    nodeName: served.id === 'pods' ? requiresExactField(fields.value, 'spec.nodeName') : undefined,
    all: labels.value.empty() && fields.value.requirements.length === 0,
  }
}

/** Only the keys of its fields matter. */
const EMPTY = { apiVersion: '', kind: '', metadata: {}, spec: {}, status: {}, involvedObject: {}, source: {} } as KubeObject

function checkField(served: Served, field: string): void {
  if (field === 'metadata.name' || field === 'metadata.namespace') return
  const { strategy } = served
  if (shortText(served) && strategy.selectableFields && hasOwn(strategy.selectableFields(EMPTY), field)) return
  refuse(
    badRequest(
      shortText(served)
        ? `field label not supported: ${field}`
        : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
    ),
  )
}

export function fieldsOf(served: Served, object: KubeObject): Record<string, string> {
  const { name = '', namespace = '' } = object.metadata
  return { 'metadata.name': name, 'metadata.namespace': namespace, ...served.strategy.selectableFields?.(object) }
}

export function selects(served: Served, s: Selection, object: KubeObject): boolean {
  if (s.all) return true
  if (!s.labels.matches((object.metadata.labels ?? {}) as Record<string, string>)) return false
  return s.fields.requirements.length === 0 || fieldSelectorMatches(s.fields, fieldsOf(served, object))
}
