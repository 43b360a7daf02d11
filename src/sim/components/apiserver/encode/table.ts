// Server-side tables: apiserver/pkg/endpoints/handlers/response.go asTable, kubernetes/pkg/printers.
import type { KubeObject } from '../../../api/types/object.ts'
import type { Served } from '../registry/index.ts'
import type { EncodeContext } from './encode.ts'
import { partialMetadata, toServed } from './encode.ts'

const columns = new WeakMap<object, readonly object[]>()

function columnDefinitions(served: Served): readonly object[] {
  const { strategy } = served
  let list = columns.get(strategy)
  if (!list) {
    list = strategy.columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description,
      priority,
    }))
    columns.set(strategy, list)
  }
  return list
}

export function tableOf(c: EncodeContext, objects: readonly KubeObject[], metadata: object): object {
  const version = c.media.convert?.version ?? 'v1'
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: c.withoutColumns ? null : columnDefinitions(c.served),
    rows: objects.map((object) => ({
      cells: c.served.strategy.row(object, c.nowMs),
      ...conditionsOf(c, object),
      object:
        c.includeObject === 'None' ? null : c.includeObject === 'Object' ? toServed(c.served, object) : partialMetadata(object, version),
    })),
  }
}

/** Rows of finished pods say so, so that clients may hide them. */
function conditionsOf(c: EncodeContext, object: KubeObject): object {
  if (c.served.id === 'pods') {
    const phase = object.status?.phase
    if (phase === 'Succeeded')
      return { conditions: [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }] }
    if (phase === 'Failed') return { conditions: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }] }
  }
  return {}
}
