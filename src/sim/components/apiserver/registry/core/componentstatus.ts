// v1 ComponentStatus: not stored, read-only, deprecated (pkg/registry/core/componentstatus).
import type { KindStrategy } from '../strategy.ts'
import { componentStatusColumns } from './columns.ts'

export const componentStatus: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  categories: [],
  namespaced: false,
  verbs: ['get', 'list'],
  defaults() {},
  validate: () => [],
  validateUpdate: () => [],
  columns: componentStatusColumns,
  row: (o) => {
    const healthy = ((o.conditions ?? []) as { type: string; status: string; message?: string; error?: string }[]).find(
      (c) => c.type === 'Healthy',
    )
    if (healthy === undefined) return [o.metadata.name ?? '', 'Unknown', '', '']
    return [o.metadata.name ?? '', healthy.status === 'True' ? 'Healthy' : 'Unhealthy', healthy.message ?? '', healthy.error ?? '']
  },
}
