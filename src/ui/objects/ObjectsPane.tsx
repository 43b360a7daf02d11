// Every object in the cluster, kind by kind, in kubectl's own columns.
import { useEffect, useState } from 'react'
import type { ObjectTable, Requests } from '../../protocol/messages.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import styles from './ObjectsPane.module.css'

type Resource = Requests['resources']['result'][number]

const idOf = (r: Resource): string => (r.group ? `${r.resource}.${r.group}` : r.resource)

export default function ObjectsPane() {
  const session = useSession()
  const step = useSessionState((s) => s.step)
  const ready = useSessionState((s) => s.phase === 'ready')
  const [resources, setResources] = useState<readonly Resource[]>([])
  const [chosen, setChosen] = useState('pods')
  const [wide, setWide] = useState(false)
  const [table, setTable] = useState<ObjectTable | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: every step may change the objects
  useEffect(() => {
    if (!ready) return
    let current = true
    void Promise.all([session.client.request('resources', {}), session.client.request('list', { resource: chosen })]).then(
      ([all, list]) => {
        if (!current) return
        setResources(all)
        setTable(list)
      },
      () => current && setTable(null),
    )
    return () => {
      current = false
    }
  }, [step, chosen, ready, session])
  const columns = table?.columns.map((c, i) => ({ ...c, i })).filter((c) => wide || c.priority === 0) ?? []
  const groups = byNamespace(table?.rows ?? [])
  return (
    <div className={styles.objects}>
      <div className={styles.bar}>
        <label>
          Kind
          <select value={chosen} onChange={(e) => setChosen(e.target.value)}>
            {resources.map((r) => (
              <option key={idOf(r)} value={idOf(r)}>
                {idOf(r)} ({r.count})
              </option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={wide} onChange={(e) => setWide(e.target.checked)} /> wide
        </label>
      </div>
      {table && table.rows.length > 0 ? (
        <table className={styles.table}>
          <caption className="visually-hidden">{chosen}</caption>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.name} scope="col">
                  {c.name}
                </th>
              ))}
            </tr>
          </thead>
          {groups.map(([namespace, rows]) => (
            <tbody key={namespace}>
              {namespace === '' ? null : (
                <tr>
                  <th scope="rowgroup" colSpan={columns.length} className={styles.namespace}>
                    {namespace} <span>namespace</span>
                  </th>
                </tr>
              )}
              {rows.map((row) => (
                <tr key={row.id}>
                  {columns.map((c, n) => (
                    <td key={c.name}>
                      {n === 0 ? (
                        <button type="button" className={styles.name} onClick={() => session.select({ type: 'object', ref: row.ref })}>
                          {String(row.cells[c.i] ?? '')}
                        </button>
                      ) : (
                        String(row.cells[c.i] ?? '')
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      ) : (
        <p className={styles.empty}>
          {ready ? `There are no ${chosen} at this moment. Apply a manifest that makes one.` : 'The cluster is starting …'}
        </p>
      )}
    </div>
  )
}

const INFRASTRUCTURE = /^kube-/

/** The visitor's namespaces first, those of the infrastructure last. */
function byNamespace(rows: ObjectTable['rows']): [string, ObjectTable['rows'][number][]][] {
  const groups = new Map<string, ObjectTable['rows'][number][]>()
  for (const row of rows) {
    const namespace = row.ref.namespace ?? ''
    const list = groups.get(namespace)
    if (list) list.push(row)
    else groups.set(namespace, [row])
  }
  return [...groups].sort(([a], [b]) => Number(INFRASTRUCTURE.test(a)) - Number(INFRASTRUCTURE.test(b)) || (a < b ? -1 : 1))
}
