// A request, as the visitor would send it with curl, and every hop that its packets took: which rule matched, where they went, who answered.
import { type SubmitEvent, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { PodElement } from '../../projection/scene.ts'
import type { TrafficHop, TrafficRequest } from '../../projection/traffic.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import { Button } from '../kit/Button.tsx'
import { OUTSIDE, trafficForm } from './form.ts'
import { type Suggestion, suggestions } from './suggestions.ts'
import styles from './TrafficPane.module.css'

const GLYPH: Readonly<Record<TrafficHop['kind'], string>> = {
  sent: '↦',
  rule: '≡',
  routed: '→',
  delivered: '▣',
  dropped: '✕',
  name: '@',
  answered: '✓',
  failed: '✕',
}

export default function TrafficPane() {
  const session = useSession()
  const step = useSessionState((s) => s.step)
  const ready = useSessionState((s) => s.phase === 'ready')
  const { from, url } = useStore(trafficForm)
  const [requests, setRequests] = useState<readonly TrafficRequest[]>([])
  const [offers, setOffers] = useState<readonly Suggestion[]>([])
  const pods = runningPods(session.store.getState().elements)
  // biome-ignore lint/correctness/useExhaustiveDependencies: every step may bring a hop
  useEffect(() => {
    if (!ready) return
    let current = true
    void session.client.request('traffic', {}).then((t) => current && setRequests(t.requests))
    void suggestions(session.client).then((all) => current && setOffers(all))
    return () => {
      current = false
    }
  }, [step, ready, session])
  const send = (event: SubmitEvent): void => {
    event.preventDefault()
    const pod = pods.find((p) => p.id === from)
    void session.command(
      { do: 'request', from: pod ? { pod: pod.ref.name, namespace: pod.ref.namespace ?? 'default' } : OUTSIDE, url: url.trim() },
      { thenPlay: true },
    )
  }
  const fitting = offers.filter((o) => o.outside === (from === OUTSIDE))
  const underWay = requests[0]?.outcome === 'under way'
  return (
    <div className={styles.pane}>
      <form className={styles.form} onSubmit={send} aria-label="Send a request">
        <label>
          From
          <select value={pods.some((p) => p.id === from) ? from : OUTSIDE} onChange={(e) => trafficForm.setState({ from: e.target.value })}>
            <option value={OUTSIDE}>outside the cluster</option>
            {pods.map((p) => (
              <option key={p.id} value={p.id}>
                pod {p.name} on {p.node}
              </option>
            ))}
          </select>
        </label>
        <label>
          URL
          <input
            required
            type="text"
            inputMode="url"
            spellCheck={false}
            autoComplete="off"
            value={url}
            placeholder="http://172.18.0.3:30080/"
            onChange={(e) => trafficForm.setState({ url: e.target.value })}
          />
        </label>
        {fitting.length > 0 ? (
          <ul className={styles.offers} aria-label="Addresses of Services">
            {fitting.map((o) => (
              <li key={o.url}>
                <button type="button" title={o.url} onClick={() => trafficForm.setState({ url: o.url })}>
                  {o.label}
                </button>
              </li>
            ))}
          </ul>
        ) : (
          <p className={styles.hint}>
            {from === OUTSIDE
              ? 'No Service can be reached from outside yet: that takes type NodePort or LoadBalancer. The guestbook example has one.'
              : 'There is no Service with an address yet.'}
          </p>
        )}
        <div className={styles.actions}>
          <Button kind="primary" type="submit" disabled={!ready || url.trim() === ''}>
            Send
          </Button>
          <Button
            disabled={!ready || !underWay}
            title="Run until this request is answered or fails"
            onClick={() => void session.jump(1, { kind: 'request.' })}
          >
            To the answer
          </Button>
        </div>
      </form>
      {requests.map((r) => (
        <Request key={r.record} request={r} />
      ))}
    </div>
  )
}

function Request({ request }: { request: TrafficRequest }) {
  const session = useSession()
  const now = useSessionState((s) => s.caption?.record)
  return (
    <section className={styles.request} data-outcome={request.outcome} data-testid="request">
      <h3>{request.summary}</h3>
      <p className={styles.outcome}>
        {request.outcome === 'answered' ? '✓ ' : request.outcome === 'failed' ? '✕ ' : '◐ '}
        {request.outcome === 'under way' ? 'under way' : request.result}
      </p>
      <ol className={styles.hops} aria-label="Hops">
        {request.hops.map((h) => (
          <li key={h.record} data-kind={h.kind} data-now={h.record === now}>
            <button type="button" onClick={() => void session.seek({ record: h.record })} title="Go to this moment">
              <span className={styles.glyph} aria-hidden="true">
                {GLYPH[h.kind]}
              </span>
              <span>
                <small>
                  {h.at} · +{Math.round(h.after * 100) / 100} ms
                </small>
                <b>{h.title}</b>
                {h.detail ? <code>{h.detail}</code> : null}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

function runningPods(elements: ReadonlyMap<string, { readonly type: string }>): PodElement[] {
  return ([...elements.values()].filter((e) => e.type === 'pod') as PodElement[])
    .filter((p) => p.node !== undefined && p.containers.some((c) => c.state === 'running'))
    .sort((a, b) => Number(a.system) - Number(b.system) || (a.id < b.id ? -1 : 1))
}
