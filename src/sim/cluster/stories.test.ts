// The flow is the real one: what every actor asks the API server, compared with the audit logs of a real v1.35 cluster (golden/stories.json).
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AuditEvent } from '../components/apiserver/audit.ts'
import type { KubectlCommand, KubectlResult } from '../components/kubectl/types.ts'
import type { KubeObject } from '../api/types/object.ts'
import { readManifest } from '../../worker/manifest.ts'
import { type Cluster, createCluster } from './cluster.ts'
import { actorOf, fold, type Line, podSequences, sequences } from './testing/audit.ts'

interface Step {
  readonly kubectl?: readonly string[]
  readonly until?: readonly string[]
  readonly is?: string
  readonly lines?: number
  readonly stdin?: string
  readonly setup?: boolean
}
interface Story {
  readonly name: string
  readonly steps: readonly Step[]
  readonly runs: readonly (readonly Line[])[]
  readonly sameInAllRuns: readonly string[]
}
const STORIES = JSON.parse(readFileSync(new URL('golden/stories.json', import.meta.url), 'utf8')) as Story[]
const NAMESPACE = 'story'
const SERVER = 'kube-apiserver/control-plane'

/** Those whose kinds and commands the visitor's kubectl has. */
const TOLD = [
  'bare-pod',
  'deployment-one',
  'deployment-three-and-service',
  'create-imperative',
  'scale-up',
  'scale-down',
  'rolling-update',
  'pod-deleted',
  'delete-deployment',
  'unschedulable',
  'image-not-found',
  'crash-loop',
  'statefulset',
  'daemonset',
]

const pod = (name: string, image: string, extra: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { run: name } },
  spec: { containers: [{ name, image, resources: {}, ...extra }], restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' },
})

/** What a typed command asks of the visitor's kubectl. */
function toCommand(step: Step): KubectlCommand {
  const args = step.kubectl ?? []
  const [verb, first = '', second = ''] = args
  const flag = (name: string): string | undefined => args.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3)
  const ref = (kind: string, name: string): { apiVersion: string; kind: string; namespace: string; name: string } => ({
    apiVersion: kind === 'pod' || kind === 'pods' ? 'v1' : 'apps/v1',
    kind: kind.startsWith('pod') ? 'Pod' : 'Deployment',
    namespace: NAMESPACE,
    name,
  })
  switch (verb) {
    case 'apply':
      return { verb: 'apply', documents: readManifest(step.stdin ?? '').documents.map((d) => d.object), namespace: NAMESPACE }
    case 'run': {
      const overrides = flag('overrides')
      const command = args.includes('--') ? { command: args.slice(args.indexOf('--') + 1) } : {}
      const resources = overrides
        ? { resources: (JSON.parse(overrides) as { spec: { containers: { resources: object }[] } }).spec.containers[0]?.resources }
        : {}
      return {
        verb: 'create',
        object: pod(first, flag('image') ?? '', { ...command, ...resources }),
        namespace: NAMESPACE,
        manager: 'kubectl-run',
      }
    }
    case 'create': {
      const labels = { app: second }
      const object = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: second, labels },
        spec: {
          replicas: Number(flag('replicas') ?? 1),
          selector: { matchLabels: labels },
          strategy: {},
          template: { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: flag('image'), resources: {} }] } },
        },
      }
      return { verb: 'create', object: object as unknown as KubeObject, namespace: NAMESPACE, manager: 'kubectl-create' }
    }
    case 'expose':
      return { verb: 'expose', ref: ref(first, second), port: Number(flag('port')) }
    case 'scale':
      return { verb: 'scale', ref: ref(first, second), replicas: Number(flag('replicas')) }
    case 'set': {
      const [kind = '', name = ''] = args[2]?.split('/') ?? []
      const [container = '', image = ''] = args[3]?.split('=') ?? []
      return { verb: 'set-image', ref: ref(kind, name), container, image }
    }
    case 'rollout': {
      const [kind = '', name = ''] = args[2]?.split('/') ?? []
      return { verb: 'rollout-status', ref: ref(kind, name) }
    }
    case 'delete':
      return second === '-l'
        ? {
            verb: 'delete-selected',
            ref: { apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE },
            labelSelector: args[3] ?? '',
            wait: true,
          }
        : { verb: 'delete', ref: ref(first, second), wait: true }
    default:
      throw new Error(`no such command here: ${args.join(' ')}`)
  }
}

const RESOURCES: Readonly<Record<string, string>> = {
  deploy: 'deployments.apps',
  pod: 'pods',
  pods: 'pods',
  job: 'jobs.batch',
  sts: 'statefulsets.apps',
  ds: 'daemonsets.apps',
}

/** The jsonpath subset that the recordings wait with. */
function read(object: unknown, path: string): unknown {
  let value: unknown = object
  for (const part of path.replace(/^\{\.|\}$/g, '').match(/\[\?\(@\.type=="(\w+)"\)\]|\[(\d+)\]|[^.[\]]+/g) ?? []) {
    const condition = /@\.type=="(\w+)"/.exec(part)
    if (condition) value = (value as { type: string }[] | undefined)?.find((c) => c.type === condition[1])
    else value = (value as Record<string, unknown> | undefined)?.[part.replace(/[[\]]/g, '')]
  }
  return value
}

function holds(cluster: Cluster, step: Step): boolean {
  const [, target = '', name] = step.until ?? []
  const [kind = '', ...rest] = target.split('/')
  const objects = cluster.stored(RESOURCES[kind] ?? kind, NAMESPACE)
  if (step.lines !== undefined) return objects.length === step.lines
  const object = objects.find((o) => o.metadata.name === (rest[0] ?? name))
  const path = step.until?.find((a) => a.startsWith('jsonpath='))?.slice('jsonpath='.length) ?? ''
  return String(read(object, path)) === step.is
}

function play(story: Story): Line[] {
  const cluster = createCluster({ profile: 'cluster', seed: 11 })
  const { sim } = cluster
  const results = sim.peek<KubectlResult>('kubectl', 'results')
  const audit = sim.peek<AuditEvent>(SERVER, 'audit')
  let n = 0
  const run = (command: KubectlCommand): void => {
    const id = `s${++n}`
    sim.input({ target: 'kubectl', kind: 'kubectl.command', payload: { id, command, summary: command.verb } })
    if (!sim.runUntil({ kind: 'predicate', holds: () => results.get(id)?.done === true || sim.now > limit }, 500_000))
      throw new Error('kubectl got no answer')
  }
  let limit = sim.now + 300_000
  run({
    verb: 'create',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    namespace: '',
    manager: 'kubectl-create',
  })
  sim.runToTime(sim.now + 2000)
  let from = audit.size
  for (const step of story.steps) {
    limit = sim.now + 300_000
    if (step.kubectl) run(toCommand(step))
    else if (!sim.runUntil({ kind: 'predicate', holds: () => holds(cluster, step) || sim.now > limit }, 2_000_000) || sim.now > limit)
      throw new Error(
        `never: ${JSON.stringify(step.until)}; pods ${JSON.stringify(cluster.stored('pods', NAMESPACE).map((p) => p.status))}`,
      )
    if (step.setup) {
      sim.runToTime(sim.now + 8000)
      from = audit.size
    }
  }
  sim.runToTime(sim.now + 3000)
  return audit
    .values()
    .slice(from)
    .map((e) => actorOf(e, NAMESPACE))
    .filter((l) => l !== undefined)
}

describe('every actor makes the requests that a recording shows', () => {
  for (const story of STORIES.filter((s) => TOLD.includes(s.name))) {
    it(`in the story ${story.name}`, () => {
      const lines = play(story)
      const ours = sequences(lines)
      const recorded = story.runs.map((run) => sequences(run))
      const actors = new Set(recorded.flatMap((r) => [...r.keys()]))
      const wrong: string[] = []
      const compare = (actor: string, mine: readonly string[], theirs: readonly (readonly string[])[]): void => {
        if (!theirs.some((t) => t.join('\n') === mine.join('\n')))
          wrong.push(
            `${actor} did\n  ${mine.join('\n  ')}\nrecorded:\n${[...new Set(theirs.map((t) => `  ${t.join('\n  ')}`))].join('\n  --or--\n')}`,
          )
      }
      for (const actor of actors) {
        // Which node runs which pods differs from run to run: kubelets are compared pod by pod with what single pods saw in any story.
        if (actor === 'kubelet' && !story.sameInAllRuns.includes(actor))
          for (const mine of podSequences(lines, 'pod'))
            compare(
              actor,
              mine,
              STORIES.flatMap((s) => s.runs).flatMap((run) => podSequences(run, 'node')),
            )
        else
          compare(
            actor,
            fold(ours.get(actor) ?? []),
            recorded.map((r) => fold(r.get(actor) ?? [])),
          )
      }
      for (const actor of ours.keys()) if (!actors.has(actor)) wrong.push(`${actor} is in no recording: ${JSON.stringify(ours.get(actor))}`)
      expect(wrong.join('\n\n')).toBe('')
    })
  }
})
