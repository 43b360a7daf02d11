// GET /metrics: a few of the server's own numbers in Prometheus' text format.
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

export function planMetrics(rq: Rq): Plan {
  const { metrics } = rq
  const lines: string[] = []
  const family = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: readonly (readonly [labels: string, value: number])[],
  ): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`)
  }
  family(
    'apiserver_request_total',
    'counter',
    '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    metrics.requests(),
  )
  family(
    'apiserver_current_inflight_requests',
    'gauge',
    '[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
    [
      ['{request_kind="mutating"}', metrics.inFlight('mutating')],
      ['{request_kind="readOnly"}', metrics.inFlight('readOnly')],
    ],
  )
  family(
    'apiserver_longrunning_requests',
    'gauge',
    '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
    metrics.watches(),
  )
  family(
    'apiserver_storage_objects',
    'gauge',
    '[STABLE] Number of stored objects at the time of last check split by kind.',
    metrics.objects(),
  )
  return {
    do: 'answer',
    answer: {
      code: 200,
      text: `${lines.join('\n')}\n`,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' },
    },
  }
}
