// Addresses worth asking, from the stored Services and Nodes.
import type { ObjectTable } from '../../protocol/messages.ts'
import type { WorkerClient } from '../../session/worker-client.ts'

export interface Suggestion {
  readonly label: string
  readonly url: string
  /** Reachable from outside the cluster. */
  readonly outside: boolean
  readonly service: string
}

export async function suggestions(client: WorkerClient): Promise<Suggestion[]> {
  const [services, nodes] = await Promise.all([
    client.request('list', { resource: 'services' }),
    client.request('list', { resource: 'nodes' }),
  ]).catch(() => [NOTHING, NOTHING])
  return fromTables(services ?? NOTHING, nodes ?? NOTHING)
}

const NOTHING: ObjectTable = { columns: [], rows: [] }

/** kubectl prints a node port as `80:30080/TCP`. */
const PORT = /^(\d+)(?::(\d+))?\/TCP$/

export function fromTables(services: ObjectTable, nodes: ObjectTable): Suggestion[] {
  const cell = (table: ObjectTable, row: ObjectTable['rows'][number], column: string): string =>
    String(row.cells[table.columns.findIndex((c) => c.name === column)] ?? '')
  const worker =
    nodes.rows.find((r) => !/control-plane/.test(cell(nodes, r, 'Roles')) && /^Ready/.test(cell(nodes, r, 'Status'))) ?? nodes.rows[0]
  const out: Suggestion[] = []
  for (const row of services.rows) {
    const { name, namespace = 'default' } = row.ref
    if (namespace === 'kube-system') continue
    const clusterIP = cell(services, row, 'Cluster-IP')
    const service = `${namespace}/${name}`
    for (const text of cell(services, row, 'Port(s)').split(',')) {
      const [, port, nodePort] = PORT.exec(text.trim()) ?? []
      if (port === undefined) continue
      const scheme = port === '443' ? 'https' : 'http'
      const suffix = port === '80' || port === '443' ? '' : `:${port}`
      out.push({ label: `${name} by name`, url: `${scheme}://${name}.${namespace}.svc.cluster.local${suffix}/`, outside: false, service })
      if (/^\d/.test(clusterIP))
        out.push({ label: `${name} by address`, url: `${scheme}://${clusterIP}${suffix}/`, outside: false, service })
      if (nodePort !== undefined && worker)
        out.push({
          label: `${name} at ${worker.ref.name}:${nodePort}`,
          url: `http://${cell(nodes, worker, 'Internal-IP') || worker.ref.name}:${nodePort}/`,
          outside: true,
          service,
        })
    }
  }
  return out
}
