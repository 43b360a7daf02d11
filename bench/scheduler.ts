// Scheduling throughput of framework and cache alone, in the shape of kubernetes/test/integration/scheduler_perf: fake nodes, measured pods.
// Run: node scripts/run-ts.mjs bench/scheduler.ts [part of a row's name]. Prints pods/s, the ratio to upstream's CI floor, and to a calibrator:
// the same fit and score over typed arrays with nothing around it, which tells a slow machine from a slow scheduler.
import type { Pod } from '../src/sim/api/types/kubernetes.gen.ts'
import type { KubeObject } from '../src/sim/api/types/object.ts'
import { attempt } from '../src/sim/components/scheduler/attempt.ts'
import { type NodeInfo, withoutPod } from '../src/sim/components/scheduler/framework/nodeinfo.ts'
import { podInfo } from '../src/sim/components/scheduler/framework/podinfo.ts'
import { getNode, replaceNode } from '../src/sim/components/scheduler/framework/snapshot.ts'
import { cycleOf, makeWorld, place, type World } from '../src/sim/components/scheduler/testing/world.ts'

interface Row {
  readonly name: string
  /** pods/s that upstream's CI demands. */
  readonly floor: number
  /** How many times the floor this project asks of itself. */
  readonly bar: number
  readonly nodes: number
  readonly zones: number
  readonly init: number
  readonly pods: number
  readonly objects?: readonly KubeObject[]
  readonly initPod?: (i: number) => Pod
  readonly pod: (i: number) => Pod
}

type Spec = Partial<NonNullable<Pod['spec']>>

const pod = (
  name: string,
  i: number,
  spec: Spec = {},
  labels: Record<string, string> = {},
  requests: Record<string, string> = { cpu: '100m', memory: '500Mi' },
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${name}-${i}`, namespace: 'bench', uid: `${name}-${i}`, labels },
  spec: {
    containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1', resources: { requests } }],
    priority: 0,
    schedulerName: 'default-scheduler',
    ...spec,
  },
})

const term = (app: string, topologyKey: string) => ({ labelSelector: { matchLabels: { color: app } }, topologyKey, namespaces: ['bench'] })
const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'
const spread = (whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'): Spec => ({
  topologySpreadConstraints: [{ maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable, labelSelector: { matchLabels: { color: 'blue' } } }],
})
const blue = { color: 'blue' }
const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'bench' }, spec: { selector: blue } }
const inZones: Spec = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone-0', 'zone-1'] }] }],
      },
    },
  },
}

const plain = (i: number): Pod => pod('plain', i)
const base = { bar: 5, nodes: 5000, zones: 3, init: 1000, initPod: plain }

const ROWS: readonly Row[] = [
  { ...base, name: 'SchedulingBasic 10000 pods', floor: 680, bar: 10, zones: 1, pods: 10_000, pod: plain },
  { ...base, name: 'SchedulingBasic 50000 pods', floor: 810, zones: 1, init: 5000, pods: 50_000, pod: plain },
  {
    ...base,
    name: 'SchedulingDaemonset (15000 nodes)',
    floor: 1100,
    nodes: 15_000,
    init: 0,
    pods: 30_000,
    pod: (i) =>
      pod('daemon', i, {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [`node-${i % 15_000}`] }] }],
            },
          },
        },
      }),
  },
  {
    ...base,
    name: 'Unschedulable (every other pod too large)',
    floor: 600,
    init: 20_000,
    pods: 10_000,
    pod: (i) => (i % 2 === 0 ? plain(i) : pod('huge', i, {}, {}, { cpu: '9', memory: '500Mi' })),
  },
  {
    ...base,
    name: 'Preemption (20000 low-priority pods)',
    floor: 570,
    init: 20_000,
    pods: 5000,
    initPod: (i) => pod('low', i, { priority: -10 }, {}, { cpu: '900m', memory: '500Mi' }),
    pod: (i) => pod('high', i, { priority: 1000 }, {}, { cpu: '3', memory: '500Mi' }),
  },
  {
    ...base,
    name: 'Matching anti-affinity',
    floor: 595,
    init: 0,
    pods: 5000,
    pod: (i) =>
      pod(
        'anti',
        i,
        { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('blue', HOST)] } } },
        { color: 'red' },
      ),
  },
  {
    ...base,
    name: 'TopologySpreading (required)',
    floor: 460,
    init: 5000,
    pods: 5000,
    pod: (i) => pod('spread', i, spread('DoNotSchedule'), blue),
  },
  {
    ...base,
    name: 'PreferredTopologySpreading',
    floor: 340,
    init: 5000,
    pods: 5000,
    pod: (i) => pod('spread', i, spread('ScheduleAnyway'), blue),
  },
  {
    ...base,
    name: 'NodeInclusionPolicy',
    floor: 270,
    init: 1000,
    pods: 4000,
    pod: (i) =>
      pod(
        'policy',
        i,
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: HOST,
              whenUnsatisfiable: 'DoNotSchedule',
              nodeTaintsPolicy: 'Honor',
              nodeAffinityPolicy: 'Honor',
              labelSelector: { matchLabels: { color: 'green' } },
            },
          ],
        },
        { color: 'green' },
      ),
  },
  {
    ...base,
    name: 'DefaultTopologySpreading 50000 pods',
    floor: 160,
    init: 5000,
    pods: 50_000,
    objects: [service],
    pod: (i) => pod('web', i, {}, blue),
  },
  { ...base, name: 'NodeAffinity', floor: 220, init: 5000, pods: 10_000, pod: (i) => pod('affine', i, inZones) },
  { ...base, name: 'ExtendedResource', floor: 180, init: 0, pods: 5000, pod: (i) => pod('gpu', i, {}, {}, { 'example.com/gpu': '1' }) },
  {
    ...base,
    name: 'Mixed base pod',
    floor: 140,
    init: 10_000,
    initPod: (i) =>
      [
        plain(i),
        pod(
          'mix-affinity',
          i,
          { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('blue', ZONE)] } } },
          blue,
        ),
        pod(
          'mix-anti',
          i,
          { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(`c${i}`, HOST)] } } },
          { color: `c${i}` },
        ),
        pod(
          'mix-preferred',
          i,
          {
            affinity: {
              podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term('red', HOST) }] },
            },
          },
          { color: 'red' },
        ),
      ][i % 4] as Pod,
    pods: 5000,
    pod: plain,
  },
  {
    ...base,
    name: 'Preferred pod affinity',
    floor: 90,
    init: 5000,
    pods: 5000,
    pod: (i) =>
      pod(
        'near',
        i,
        {
          affinity: {
            podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term('red', HOST) }] },
          },
        },
        { color: 'red' },
      ),
  },
  {
    ...base,
    name: 'Preferred pod anti-affinity',
    floor: 90,
    init: 5000,
    pods: 5000,
    pod: (i) =>
      pod(
        'apart',
        i,
        {
          affinity: {
            podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term('yellow', HOST) }] },
          },
        },
        { color: 'yellow' },
      ),
  },
  {
    ...base,
    name: 'Required pod anti-affinity',
    floor: 60,
    init: 1000,
    pods: 2000,
    pod: (i) =>
      pod(
        'alone',
        i,
        { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('green', HOST)] } } },
        { color: 'green' },
      ),
  },
  {
    ...base,
    name: 'Required pod affinity',
    floor: 35,
    init: 5000,
    zones: 1,
    pods: 5000,
    pod: (i) =>
      pod('together', i, { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('blue', ZONE)] } } }, blue),
  },
  {
    ...base,
    name: 'Anti-affinity with namespace selector (6000 nodes)',
    floor: 24,
    nodes: 6000,
    init: 4000,
    pods: 2000,
    objects: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench', labels: { team: 'devops' } } } as KubeObject],
    pod: (i) =>
      pod(
        'ns-anti',
        i,
        {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  labelSelector: { matchLabels: { color: 'green' } },
                  topologyKey: HOST,
                  namespaceSelector: { matchLabels: { team: 'devops' } },
                },
              ],
            },
          },
        },
        { color: 'green' },
      ),
  },
]

const nodesOf = (row: Row): KubeObject[] =>
  Array.from({ length: row.nodes }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `node-${i}`, labels: { [HOST]: `node-${i}`, [ZONE]: `zone-${i % row.zones}` } },
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110', 'example.com/gpu': '2' } },
  }))

/** One draw of a small generator: the benchmark must not measure Math.random. */
function randomStream(): () => number {
  let state = 0x9e3779b9
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}

interface Outcome {
  readonly seconds: number
  readonly placed: number
}

function schedule(start: World, pods: readonly Pod[]): { world: World } & Outcome {
  let world = start
  let next = 0
  let placed = 0
  const random = randomStream()
  const begun = performance.now()
  for (let p of pods) {
    for (let tries = 0; tries < 2; tries++) {
      const { result, preemption } = attempt(cycleOf(world, p), { nextStartNodeIndex: next, random, now: 0 })
      if (result.outcome === 'no nodes') break
      next = result.nextStartNodeIndex
      if (result.outcome === 'found') {
        world = place(world, podInfo(p), result.node)
        placed++
        break
      }
      if (!preemption?.chosen) break
      // The victims are gone at once; the pod tries again, on the node that it is nominated to.
      let node = getNode(world.snapshot, preemption.chosen.node) as NodeInfo
      for (const victim of preemption.chosen.victims) node = withoutPod(node, victim.uid)
      world = { ...world, snapshot: replaceNode(world.snapshot, node) }
      p = { ...p, status: { nominatedNodeName: preemption.chosen.node } }
    }
  }
  return { world, seconds: (performance.now() - begun) / 1000, placed }
}

/** Fit and least-allocated score of 500 nodes per pod, and nothing else. */
function calibrate(): number {
  const nodes = 5000
  const pods = 10_000
  const cpu = new Float64Array(nodes)
  const memory = new Float64Array(nodes)
  const begun = performance.now()
  let start = 0
  for (let p = 0; p < pods; p++) {
    let best = -1
    let at = 0
    for (let k = 0; k < 500; k++) {
      const i = (start + k) % nodes
      const c = (cpu[i] as number) + 100
      const m = (memory[i] as number) + 524_288_000
      if (c > 4000 || m > 34_359_738_368) continue
      const score = Math.floor((Math.floor(((4000 - c) * 100) / 4000) + Math.floor(((34_359_738_368 - m) * 100) / 34_359_738_368)) / 2)
      if (score > best) {
        best = score
        at = i
      }
    }
    cpu[at] = (cpu[at] as number) + 100
    memory[at] = (memory[at] as number) + 524_288_000
    start = (start + 500) % nodes
  }
  return pods / ((performance.now() - begun) / 1000)
}

export interface Measured {
  readonly name: string
  readonly podsPerSecond: number
  readonly floor: number
  readonly ratio: number
  readonly bar: number
  readonly toCalibrator: number
  readonly placed: number
  readonly pods: number
}

export function measureScheduler(filter = '', report: (m: Measured) => void = () => {}): Measured[] {
  calibrate()
  const calibrator = calibrate()
  const out: Measured[] = []
  for (const row of ROWS) {
    if (!row.name.includes(filter)) continue
    const empty = makeWorld([...nodesOf(row), ...(row.objects ?? [])])
    const { world } = schedule(
      empty,
      Array.from({ length: row.init }, (_, i) => (row.initPod ?? plain)(1_000_000 + i)),
    )
    const { seconds, placed } = schedule(
      world,
      Array.from({ length: row.pods }, (_, i) => row.pod(i)),
    )
    const podsPerSecond = row.pods / seconds
    const measured: Measured = {
      name: row.name,
      podsPerSecond,
      floor: row.floor,
      ratio: podsPerSecond / row.floor,
      bar: row.bar,
      toCalibrator: podsPerSecond / calibrator,
      placed,
      pods: row.pods,
    }
    report(measured)
    out.push(measured)
  }
  return out
}

if (process.argv[1]?.includes('scheduler')) {
  process.stdout.write(`calibrator ${Math.round(calibrate())} pods/s\n`)
  measureScheduler(process.argv[2] ?? '', (m) => {
    const ok = m.ratio >= m.bar ? 'ok ' : 'LOW'
    process.stdout.write(
      `${ok} ${m.name.padEnd(52)} ${Math.round(m.podsPerSecond).toString().padStart(7)} pods/s  ${m.ratio.toFixed(1).padStart(6)}x floor (bar ${m.bar}x)  ${m.toCalibrator.toFixed(3)} of calibrator  ${m.placed}/${m.pods} placed\n`,
    )
  })
}
