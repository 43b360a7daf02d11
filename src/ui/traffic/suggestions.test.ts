import { expect, test } from 'vitest'
import type { ObjectTable } from '../../protocol/messages.ts'
import { fromTables } from './suggestions.ts'

const table = (
  names: readonly string[],
  rows: readonly (readonly [string, ...(string | number)[]])[],
  namespace?: string,
): ObjectTable => ({
  columns: names.map((name) => ({ name, priority: 0 })),
  rows: rows.map((cells) => ({
    cells,
    ref: { apiVersion: 'v1', kind: 'X', name: cells[0], ...(namespace ? { namespace } : {}) },
    id: cells[0],
  })),
})
const nodes = table(
  ['Name', 'Status', 'Roles', 'Internal-IP'],
  [
    ['control-plane', 'Ready', 'control-plane', '172.18.0.2'],
    ['node-1', 'NotReady', '<none>', '172.18.0.3'],
    ['node-2', 'Ready', '<none>', '172.18.0.4'],
  ],
)

test('a node port is offered at a worker that is ready, names and addresses only from inside', () => {
  const services = table(
    ['Name', 'Cluster-IP', 'Port(s)'],
    [
      ['web', '10.96.1.1', '80:30080/TCP,53/UDP'],
      ['headless', 'None', '6379/TCP'],
    ],
    'shop',
  )
  expect(fromTables(services, nodes).map((s) => [s.url, s.outside])).toEqual([
    ['http://web.shop.svc.cluster.local/', false],
    ['http://10.96.1.1/', false],
    ['http://172.18.0.4:30080/', true],
    ['http://headless.shop.svc.cluster.local:6379/', false],
  ])
})

test('no tables, no offers', () => {
  expect(fromTables({ columns: [], rows: [] }, { columns: [], rows: [] })).toEqual([])
})
