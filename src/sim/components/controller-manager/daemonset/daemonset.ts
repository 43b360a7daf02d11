// pkg/controller/daemon/daemon_controller.go: one pod on every node that suits.
import { deepEqual } from '../../../../lib/compare.ts'
import { labelSelectorAsSelector, nothing, type Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { claim } from '../runtime/claim.ts'
import { orphanKey } from '../runtime/indexes.ts'
import { controllerOf, isPodAvailable, isPodReady, isPodTerminal, keyOf } from '../runtime/objects.ts'
import { createPodCall, deletePodCall, podCreated, podDeleted, podFromTemplate } from '../runtime/pod-control.ts'
import { calls, decided, effect, event, isNamespaceTerminating, isNotFound, slowStart, SyncError, updateStatus } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Runtime, Steps } from '../runtime/types.ts'
import { REVISION_HASH_LABEL } from '../runtime/history.ts'
import { constructHistory, cleanupHistory } from './history.ts'
import { allowsSurge, byAgeAndPhase, isUpdated, shouldRun, targetNode, templateFor } from './nodes.ts'
import { planUpdate } from './update.ts'

/** BurstReplicas. */
const BURST = 250
/** failedPodsBackoff: how long a node is left alone after its daemon pod failed. */
const BACKOFF_START_MS = 1_000
const BACKOFF_MAX_MS = 900_000

export type NodePods = ReadonlyMap<string, readonly KubeObject[]>

interface Observed {
  readonly ds: KubeObject
  readonly nodes: readonly KubeObject[]
  readonly pods: readonly KubeObject[]
  readonly revisions: readonly KubeObject[]
  readonly mayManage: boolean
}

const selectorOf = (ds: KubeObject): Selector => labelSelectorAsSelector(ds.spec?.selector) ?? nothing

const ownerOf = (rt: Runtime, pod: KubeObject): KubeObject | undefined => {
  const ref = controllerOf(pod)
  const ds = ref?.kind === 'DaemonSet' ? rt.get('daemonsets', `${pod.metadata.namespace}/${ref.name}`) : undefined
  return ds?.metadata.uid === ref?.uid ? ds : undefined
}
const addMatching = (rt: Runtime, pod: KubeObject): void => {
  for (const ds of rt.list('daemonsets', pod.metadata.namespace))
    if (!selectorOf(ds).empty() && selectorOf(ds).matches(pod.metadata.labels ?? {})) rt.add(keyOf(ds))
}

export const daemonSetController: Controller<Observed> = {
  name: 'daemonset-controller',
  controller: 'daemonset-controller',
  serviceAccount: 'daemon-set-controller',
  eventSource: 'daemonset-controller',
  workers: 2,
  subject: 'daemonsets',
  informers: ['daemonsets', 'pods', 'nodes', 'controllerrevisions'],
  on: {
    daemonsets(rt, { type, key, object, old }) {
      if (type === 'DELETED' || (old && old.metadata.uid !== object.metadata.uid)) rt.expectations.forget(rt.context, key)
      rt.add(key)
    },
    nodes(rt, { type, object: node, old }) {
      if (type === 'DELETED' || (old && deepEqual(old.spec, node.spec) && deepEqual(old.metadata.labels, node.metadata.labels))) return
      const here = rt.index('pods', 'node', node.metadata.name ?? '')
      for (const ds of rt.list('daemonsets')) {
        const { run, stay } = shouldRun(ds, node)
        const scheduled = here.some((p) => controllerOf(p)?.uid === ds.metadata.uid)
        // A node that stops suiting but keeps its pod is not looked at until something else happens.
        if ((run && !scheduled) || (!stay && scheduled) || (scheduled && (ds.status?.numberMisscheduled ?? 0) > 0)) rt.add(keyOf(ds))
      }
    },
    pods(rt, { type, object: pod, old }) {
      const ds = ownerOf(rt, pod)
      if (type === 'DELETED' || pod.metadata.deletionTimestamp) {
        // The first sign of a deletion counts; the removal itself is then no news to the expectations but still a reason to look.
        if (ds && (type === 'DELETED' || !old?.metadata.deletionTimestamp)) rt.expectations.deletionObserved(rt.context, keyOf(ds))
        if (ds) rt.add(keyOf(ds))
        return
      }
      if (type === 'ADDED') {
        if (ds) {
          rt.expectations.creationObserved(rt.context, keyOf(ds))
          rt.add(keyOf(ds))
        } else if (!controllerOf(pod)) addMatching(rt, pod)
        return
      }
      const changed = controllerOf(pod)?.uid !== (old && controllerOf(old)?.uid)
      const former = changed && old ? ownerOf(rt, old) : undefined
      if (former) rt.add(keyOf(former))
      if (ds) {
        rt.add(keyOf(ds))
        const minReady = ds.spec?.minReadySeconds ?? 0
        if (minReady > 0 && old && !isPodReady(old) && isPodReady(pod)) rt.addAfter(keyOf(ds), (minReady + 1) * 1000)
      } else if (!controllerOf(pod) && (changed || !deepEqual(old?.metadata.labels, pod.metadata.labels))) addMatching(rt, pod)
    },
    controllerrevisions(rt, { object }) {
      const ref = controllerOf(object)
      if (ref?.kind === 'DaemonSet') rt.add(`${object.metadata.namespace}/${ref.name}`)
    },
  },
  observe(key, rt) {
    const ds = rt.get('daemonsets', key)
    if (!ds) {
      rt.expectations.forget(rt.context, key)
      return undefined
    }
    const { uid = '', namespace } = ds.metadata
    const orphans = orphanKey(namespace)
    return {
      ds,
      nodes: rt.list('nodes'),
      pods: [...rt.index('pods', 'controller', uid), ...rt.index('pods', 'controller', orphans)],
      revisions: [...rt.index('controllerrevisions', 'controller', uid), ...rt.index('controllerrevisions', 'controller', orphans)],
      mayManage: rt.expectationsSatisfied(key),
    }
  },
  *reconcile({ ds, nodes, pods, revisions, mayManage }, env): Steps<Outcome | void> {
    const selector = selectorOf(ds)
    if (selector.empty()) {
      yield* event(ds, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
      return
    }
    if (ds.metadata.deletionTimestamp) return
    const { hash, old } = yield* constructHistory(ds, revisions, selector)
    const claimed = yield* claim(ds, pods, { ownerResource: 'daemonsets', resource: 'pods', selector })
    const onNode = groupByNode(claimed)
    if (!mayManage) return yield* storeStatus(ds, nodes, onNode, hash, false, env)
    let error: string | undefined
    let after: number | undefined
    try {
      after = yield* manage(ds, nodes, onNode, hash, env)
      const ready = yield* effect((rt) => rt.expectationsSatisfied(keyOf(ds)))
      if (ready && ds.spec?.updateStrategy?.type === 'RollingUpdate') {
        const plan = planUpdate(ds, nodes, onNode, hash, env.now)
        yield* syncNodes(ds, plan.remove, plan.create, hash)
      }
      yield* cleanupHistory(ds, old, claimed)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
      error = thrown.message
    }
    const outcome = yield* storeStatus(ds, nodes, onNode, hash, true, env)
    if (error !== undefined) throw new SyncError(error)
    const waits = [after, outcome?.requeueAfterMs].filter((w) => w !== undefined)
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  },
}

function groupByNode(pods: readonly KubeObject[]): Map<string, KubeObject[]> {
  const map = new Map<string, KubeObject[]>()
  for (const pod of pods) {
    if (isPodTerminal(pod) && pod.metadata.deletionTimestamp) continue
    const node = targetNode(pod)
    if (node === undefined) continue
    const list = map.get(node)
    if (list) list.push(pod)
    else map.set(node, [pod])
  }
  return map
}

/** manage: pods where they are missing, none where they do not belong. Returns ms after which a failed pod may be replaced. */
function* manage(ds: KubeObject, nodes: readonly KubeObject[], onNode: NodePods, hash: string, env: Env): Steps<number | undefined> {
  const create: string[] = []
  const remove: KubeObject[] = []
  let after: number | undefined
  for (const node of nodes) {
    const name = node.metadata.name ?? ''
    const { run, stay } = shouldRun(ds, node)
    const here = onNode.get(name)
    if (run && !here) create.push(name)
    else if (stay) {
      const running: KubeObject[] = []
      for (const pod of here ?? []) {
        if (pod.metadata.deletionTimestamp) continue
        const what = `${pod.metadata.namespace}/${pod.metadata.name} on node ${name}`
        if (pod.status?.phase === 'Failed') {
          const wait = yield* effect((rt) => backoff(rt, `${ds.metadata.uid}/${ds.status?.observedGeneration ?? 0}/${name}`))
          if (wait > 0) {
            after = Math.min(after ?? wait, wait)
            continue
          }
          yield* event(ds, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${what}, will try to kill it`)
          remove.push(pod)
        } else if (pod.status?.phase === 'Succeeded') {
          yield* event(ds, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${what}, will try to delete it`)
          remove.push(pod)
        } else running.push(pod)
      }
      running.sort(byAgeAndPhase)
      if (!allowsSurge(ds)) remove.push(...running.slice(1))
      else if (running.length === 0 && run) create.push(name)
      else if (running.length > 1) remove.push(...surplus(ds, running, hash, env))
    } else remove.push(...(here ?? []).filter((p) => !p.metadata.deletionTimestamp))
  }
  const known = new Set(nodes.map((n) => n.metadata.name))
  for (const [node, pods] of onNode) if (!known.has(node)) remove.push(...pods.filter((p) => !p.spec?.nodeName))
  yield* syncNodes(ds, remove, create, hash)
  return after
}

/** With surge a node may have one old and one new pod until the new one is available. */
function surplus(ds: KubeObject, running: readonly KubeObject[], hash: string, env: Env): KubeObject[] {
  const isNew = (p: KubeObject): boolean => p.metadata.labels?.[REVISION_HASH_LABEL] === hash
  const newest = running.find(isNew)
  const oldest = running.find((p) => !isNew(p))
  const rest = running.filter((p) => p !== newest && p !== oldest)
  if (newest && oldest && (!isPodReady(oldest) || isPodAvailable(newest, ds.spec?.minReadySeconds ?? 0, env.now))) return [...rest, oldest]
  return rest
}

interface Backoff {
  readonly ms: number
  readonly at: number
}

/** 0: go ahead, the next pause is twice as long; otherwise ms to wait. */
function backoff(rt: Runtime, key: string): number {
  const table = rt.memory<Backoff>('failed-pods')
  const old = table.get(key)
  const expired = old !== undefined && rt.now - old.at > 2 * BACKOFF_MAX_MS
  if (old && !expired && rt.now - old.at < old.ms) return old.ms - (rt.now - old.at)
  table.put(key, { ms: old && !expired ? Math.min(old.ms * 2, BACKOFF_MAX_MS) : BACKOFF_START_MS, at: rt.now })
  return 0
}

function* syncNodes(ds: KubeObject, remove: readonly KubeObject[], create: readonly string[], hash: string): Steps<void> {
  const key = keyOf(ds)
  const names = create.slice(0, BURST)
  const victims = remove.slice(0, BURST)
  yield* effect((rt) => rt.expectations.expect(rt.context, key, names.length, victims.length))
  if (names.length + victims.length > 0) yield* decided('create and delete pods', { create: names.length, delete: victims.length })
  let error: string | undefined
  const failed = (ok: boolean): Steps<void> => effect((rt) => (ok ? undefined : rt.expectations.creationObserved(rt.context, key)))
  const answers = yield* slowStart(
    names.map((node) => createPodCall(podFromTemplate(templateFor(ds, hash, node), ds))),
    {
      *each(answer) {
        yield* podCreated(ds, answer)
        if (!answer.ok && !isNamespaceTerminating(answer)) {
          error ??= answer.message
          yield* failed(false)
        }
      },
      failed: (answer) => !answer.ok && !isNamespaceTerminating(answer),
    },
  )
  for (let i = answers.length; i < names.length; i++) yield* failed(false)
  for (const [i, answer] of (yield* calls(victims.map(deletePodCall))).entries()) {
    yield* podDeleted(ds, victims[i] as KubeObject, answer)
    if (answer.ok) continue
    yield* effect((rt) => rt.expectations.deletionObserved(rt.context, key))
    if (!isNotFound(answer)) error ??= answer.message
  }
  if (error !== undefined) throw new SyncError(error)
}

function* storeStatus(
  ds: KubeObject,
  nodes: readonly KubeObject[],
  onNode: NodePods,
  hash: string,
  observed: boolean,
  env: Env,
): Steps<Outcome | undefined> {
  const minReady: number = ds.spec?.minReadySeconds ?? 0
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0]
  for (const node of nodes) {
    const pods = onNode.get(node.metadata.name ?? '') ?? []
    if (!shouldRun(ds, node).run) {
      if (pods.length > 0) misscheduled++
      continue
    }
    desired++
    const pod = [...pods].sort(byAgeAndPhase)[0]
    if (!pod) continue
    current++
    if (isPodReady(pod)) {
      ready++
      if (isPodAvailable(pod, minReady, env.now)) available++
    }
    if (isUpdated(ds, pod, hash)) updated++
  }
  const old = ds.status ?? {}
  const unavailable = desired - available
  const optional = { updatedNumberScheduled: updated, numberAvailable: available, numberUnavailable: unavailable }
  const required = {
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
  }
  const same = Object.entries({ ...required, ...optional }).every(([k, v]) => (old[k] ?? 0) === v)
  if (!same || (old.observedGeneration ?? 0) < (ds.metadata.generation ?? 0)) {
    const kept = Object.fromEntries(Object.entries(old).filter(([k]) => !Object.hasOwn(optional, k)))
    const shown = Object.fromEntries(Object.entries(optional).filter(([, v]) => v !== 0))
    const status = { ...kept, ...required, ...shown, ...(observed ? { observedGeneration: ds.metadata.generation } : {}) }
    const answer = yield* updateStatus('daemonsets', { ...ds, status })
    if (!answer.ok) throw new SyncError(`error storing status for daemon set ${ds.metadata.name}: ${answer.message}`)
  }
  return minReady > 0 && ready !== available ? { requeueAfterMs: minReady * 1000 } : undefined
}
