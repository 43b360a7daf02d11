// What kubectl could do to an object, as buttons. Each has a result line; each can be undone by going back in time.
import { Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { ObjectRef } from '../../sim/api/types/object.ts'
import { leftTab } from '../app/left-tab.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { OUTSIDE, trafficForm } from '../traffic/form.ts'
import { suggestions } from '../traffic/suggestions.ts'
import styles from './Inspector.module.css'

const SCALABLE = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController'])

export function ObjectActions({ target }: { target: ObjectRef }) {
  const session = useSession()
  const last = useSessionState((s) => s.lastCommand)
  const { command, result } = last ?? {}
  const concerned =
    command &&
    'ref' in command &&
    command.ref.kind === target.kind &&
    command.ref.name === target.name &&
    command.ref.namespace === target.namespace
  return (
    <>
      <div className={styles.actions} role="group" aria-label={`Actions on ${target.name}`}>
        {SCALABLE.has(target.kind) ? <Scale target={target} /> : null}
        {target.kind === 'Service' || target.kind === 'Pod' ? (
          <Button onClick={() => void prepareRequest(session, target)}>
            <Send size={14} /> Send a request
          </Button>
        ) : null}
        <Button kind="danger" onClick={() => void session.command({ do: 'delete', ref: target }, { thenPlay: true })}>
          <Trash2 size={14} /> Delete
        </Button>
      </div>
      {concerned ? (
        <p className={styles.result} role="status" data-ok={result?.ok}>
          {result?.lines.map((l) => l.text).join('\n')}
        </p>
      ) : null}
    </>
  )
}

function Scale({ target }: { target: ObjectRef }) {
  const session = useSession()
  const [replicas, setReplicas] = useState('3')
  return (
    <form
      className={styles.scale}
      onSubmit={(event) => {
        event.preventDefault()
        void session.command({ do: 'scale', ref: target, replicas: Number(replicas) }, { thenPlay: true })
      }}
    >
      <label>
        Replicas
        <input type="number" min={0} max={1000} required value={replicas} onChange={(e) => setReplicas(e.target.value)} />
      </label>
      <Button type="submit">Scale</Button>
    </form>
  )
}

/** Opens the Traffic tab with an address of the Service, or with the pod as the sender. */
async function prepareRequest(session: ReturnType<typeof useSession>, { kind, name, namespace = 'default' }: ObjectRef): Promise<void> {
  leftTab.setState({ tab: 'traffic' })
  if (kind === 'Pod') {
    trafficForm.setState({ from: `pod:${namespace}/${name}` })
    return
  }
  const offers = (await suggestions(session.client)).filter((s) => s.service === `${namespace}/${name}`)
  const offer = offers.find((s) => s.outside) ?? offers[0]
  if (!offer) return
  const inside = [...session.store.getState().elements.values()].find((e) => e.type === 'pod' && !e.system && e.status === 'ready')
  trafficForm.setState({ url: offer.url, from: offer.outside || !inside ? OUTSIDE : inside.id })
}
