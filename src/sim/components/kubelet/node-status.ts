// The Node object and its Lease (pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go, component-helpers/apimachinery/lease).
import type { Node, NodeCondition } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { newQuantity, quantityToString, quantityValue } from '../../api/quantity.ts'
import { type ApiResult, apiRequest, passOver } from '../../client/request.ts'
import { store } from '../../client/informer.ts'
import { apiMicroTime, apiTime } from '../../client/time.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { CriMethods, CriReply, ImageStatus } from '../runtime/cri.ts'
import { hex64 } from '../runtime/images/registry.ts'
import { goDuration } from './backoff.ts'
import {
  config,
  KUBELET_VERSION,
  LEASE_DURATION_SECONDS,
  LEASE_RENEW_MS,
  NODE_STATUS_MAX_IMAGES,
  STATUS_REPORT_MS,
  STATUS_UPDATE_MS,
} from './config.ts'
import { nodeEvent } from './events.ts'

/** Until it is ready for the first time a kubelet looks this often (fastNodeStatusUpdate). */
const FAST_MS = 100
const FAST_FOREGROUND_MS = 20_000
const REGISTER_RETRY_MS = 7000
/** runtime.go: how long the runtime may be silent. */
const RUNTIME_DOWN_MS = 30_000
const PLEG_THRESHOLD_MS = 180_000
const HARD_EVICTION_MEMORY = 100 * 1024 * 1024

interface RuntimeHealth {
  readonly okAt: number
  readonly networkReady: boolean
  readonly networkMessage: string
  readonly bootedAt: number
}

interface Reported {
  readonly conditions: readonly NodeCondition[]
  readonly reportedAt: number
  readonly everReady: boolean
  readonly registered: boolean
  readonly images: readonly ImageStatus[]
  readonly rebootTold: boolean
}

const health = (ctx: Context): RuntimeHealth =>
  ctx.table<RuntimeHealth>('node').get('health') ?? {
    okAt: -1,
    networkReady: false,
    networkMessage: 'Network plugin returns error: cni plugin not initialized',
    bootedAt: 0,
  }
const reported = (ctx: Context): Reported => ctx.table<Reported>('node').get('reported') as Reported

export function networkError(ctx: Context): string | undefined {
  const h = health(ctx)
  return h.networkReady
    ? undefined
    : `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${h.networkMessage}`
}

export function runtimeFailed(_ctx: Context, _message: string): void {
  // The next status check finds out the same; a failed list alone says nothing yet.
}

export function startNodeStatus(ctx: Context): void {
  ctx
    .table<Reported>('node')
    .put('reported', { conditions: [], reportedAt: -1, everReady: false, registered: false, images: [], rebootTold: false })
  nodeEvent(ctx, 'Normal', 'Starting', 'Starting kubelet.')
  checkRuntime(ctx, 'register')
}

function checkRuntime(ctx: Context, next: 'register' | 'report'): void {
  ctx.call(
    config(ctx).runtime,
    'cri.Status',
    {},
    { then: { kind: 'node.runtime', data: next }, flow: 'control', summary: 'Status', timeoutMs: 10_000 },
  )
}

function allocatable(ctx: Context): { capacity: Record<string, string>; allocatable: Record<string, string> } {
  const { cpu, memory, ephemeralStorage, pods } = config(ctx).capacity
  const binary = (n: number): string => quantityToString(newQuantity(Math.floor(n), 'BinarySI'))
  const capacity = { cpu, 'ephemeral-storage': ephemeralStorage, 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', memory, pods: String(pods) }
  return {
    capacity,
    allocatable: {
      ...capacity,
      'ephemeral-storage': binary(quantityValue(ephemeralStorage) * 0.9),
      memory: binary(quantityValue(memory) - HARD_EVICTION_MEMORY),
    },
  }
}

function readiness(ctx: Context): { status: 'True' | 'False'; reason: string; message: string } {
  const h = health(ctx)
  const errors: string[] = []
  const silent = ctx.now - h.okAt
  if (h.okAt < 0) errors.push('container runtime status check may not have completed yet')
  else if (silent > RUNTIME_DOWN_MS) {
    errors.push('container runtime is down')
    if (silent > PLEG_THRESHOLD_MS)
      errors.push(`PLEG is not healthy: pleg was last seen active ${goDuration(silent)} ago; threshold is 3m0s`)
  }
  if (h.okAt >= 0 && !h.networkReady) errors.push(networkError(ctx) as string)
  if (errors.length === 0) return { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  return { status: 'False', reason: 'KubeletNotReady', message: errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]` }
}

function conditions(ctx: Context): NodeCondition[] {
  const now = apiTime(ctx.now)
  const ready = readiness(ctx)
  const wanted = [
    { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    { type: 'Ready', ...ready },
  ]
  const known = current(ctx)?.status?.conditions ?? reported(ctx).conditions
  return wanted.map((w) => {
    const before = known.find((c) => c.type === w.type)
    return {
      ...w,
      lastHeartbeatTime: now,
      lastTransitionTime: before && before.status === w.status ? (before.lastTransitionTime ?? now) : now,
    } as NodeCondition
  })
}

const current = (ctx: Context): Node | undefined => store(ctx, 'nodes').get(config(ctx).node) as unknown as Node | undefined

function statusOf(ctx: Context): NonNullable<Node['status']> {
  const { node, nodeIP } = config(ctx)
  const images = [...reported(ctx).images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.id < b.id ? -1 : 1))
    .slice(0, NODE_STATUS_MAX_IMAGES)
  return {
    ...allocatable(ctx),
    conditions: conditions(ctx),
    addresses: [
      { type: 'InternalIP', address: nodeIP },
      { type: 'Hostname', address: node },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: hex64(`machine ${node}`).slice(0, 32),
      systemUUID: uuid(`system ${node}`),
      bootID: uuid(`boot ${node} ${health(ctx).bootedAt}`),
      kernelVersion: '6.8.0-60-generic',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      containerRuntimeVersion: 'containerd://2.2.0',
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    ...(images.length > 0 ? { images: images.map((i) => ({ names: [...i.repoDigests, ...i.repoTags], sizeBytes: i.sizeBytes })) } : {}),
  }
}

function uuid(text: string): string {
  const h = hex64(text)
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`
}

function register(ctx: Context): void {
  const { node, labels, taints, client } = config(ctx)
  const body = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': node,
        'kubernetes.io/os': 'linux',
        ...labels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: taints.length > 0 ? { taints } : {},
    status: statusOf(ctx),
  }
  apiRequest(ctx, client, { method: 'POST', path: '/api/v1/nodes', body }, { kind: 'node.registered' })
}

function report(ctx: Context): void {
  const status = statusOf(ctx)
  const before = reported(ctx)
  const strip = (list: readonly NodeCondition[]): string => JSON.stringify(list.map((c) => [c.type, c.status, c.reason, c.message]))
  const known = current(ctx)
  const rebooted =
    known?.status?.nodeInfo?.bootID !== undefined &&
    known.status.nodeInfo.bootID !== '' &&
    known.status.nodeInfo.bootID !== status.nodeInfo?.bootID
  if (rebooted && !before.rebootTold)
    nodeEvent(ctx, 'Warning', 'Rebooted', `Node ${config(ctx).node} has been rebooted, boot id: ${status.nodeInfo?.bootID ?? ''}`)
  const differs =
    rebooted ||
    strip(status.conditions ?? []) !== strip(before.conditions) ||
    JSON.stringify(known?.status?.images ?? []) !== JSON.stringify(status.images ?? [])
  if (!differs && ctx.now - before.reportedAt < STATUS_REPORT_MS) return
  if (differs) ctx.foreground()
  const old = before.conditions.find((c) => c.type === 'Ready')
  const ready = status.conditions?.find((c) => c.type === 'Ready')
  for (const c of status.conditions ?? []) {
    const was = before.conditions.find((x) => x.type === c.type)
    if (was?.status === c.status) continue
    if (c.type === 'Ready')
      nodeEvent(
        ctx,
        'Normal',
        c.status === 'True' ? 'NodeReady' : 'NodeNotReady',
        `Node ${config(ctx).node} status is now: ${c.status === 'True' ? 'NodeReady' : 'NodeNotReady'}`,
      )
  }
  if (old?.status !== ready?.status)
    ctx.record(
      'kubelet.node.status',
      { ready: ready?.status === 'True', message: ready?.message ?? '' },
      { apiVersion: 'v1', kind: 'Node', name: config(ctx).node },
    )
  ctx.table<Reported>('node').put('reported', {
    ...before,
    conditions: status.conditions ?? [],
    reportedAt: ctx.now,
    everReady: before.everReady || ready?.status === 'True',
    rebootTold: rebooted,
  })
  apiRequest(
    ctx,
    config(ctx).client,
    {
      method: 'PATCH',
      path: `/api/v1/nodes/${config(ctx).node}/status`,
      body: { status },
      contentType: 'application/strategic-merge-patch+json',
    },
    { kind: 'node.reported' },
  )
}

function armReport(ctx: Context): void {
  const { everReady } = reported(ctx)
  const fast = !everReady
  const started = ctx.table<number>('clock').get('startedAt') ?? 0
  ctx.setTimer('node-status', fast ? FAST_MS : STATUS_UPDATE_MS * (1 + 0.04 * ctx.random('node')), 'node.status', null, {
    periodic: !fast || ctx.now - started > FAST_FOREGROUND_MS,
  })
}

function passPodCIDR(ctx: Context): void {
  const cidr = current(ctx)?.spec?.podCIDR
  if (!config(ctx).passPodCIDR || !cidr || ctx.table<string>('node-cidr').get('passed') === cidr) return
  ctx.table<string>('node-cidr').put('passed', cidr)
  ctx.call(
    config(ctx).runtime,
    'cri.UpdateRuntimeConfig',
    { podCIDR: cidr },
    { then: { kind: 'node.cidr', data: cidr }, flow: 'control', summary: `UpdateRuntimeConfig ${cidr}` },
  )
}

export function onNodeChanged(ctx: Context, _node: Node): void {
  passPodCIDR(ctx)
}

function renewLease(ctx: Context): void {
  const { node, client } = config(ctx)
  ctx.setTimer('lease', LEASE_RENEW_MS * (1 + 0.04 * ctx.random('lease')), 'node.lease', null, { periodic: true })
  const lease = ctx.table<KubeObject>('lease').get('lease')
  const spec = { holderIdentity: node, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime: apiMicroTime(ctx.now) }
  const base = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases`
  if (lease) {
    apiRequest(
      ctx,
      client,
      { method: 'PUT', path: `${base}/${node}`, body: { ...lease, spec: { ...lease.spec, ...spec } }, timeoutMs: 10_000 },
      { kind: 'node.lease.written', data: 'renew' },
    )
    return
  }
  apiRequest(ctx, client, { method: 'GET', path: `${base}/${node}`, timeoutMs: 10_000 }, { kind: 'node.lease.written', data: 'get' })
}

function createLease(ctx: Context): void {
  const { node, client } = config(ctx)
  const uid = current(ctx)?.metadata.uid
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: node,
      namespace: 'kube-node-lease',
      ...(uid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid }] } : {}),
    },
    spec: { holderIdentity: node, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime: apiMicroTime(ctx.now) },
  }
  apiRequest(
    ctx,
    client,
    { method: 'POST', path: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', body },
    { kind: 'node.lease.written', data: 'create' },
  )
}

export const nodeHandlers: Readonly<Record<string, (ctx: Context, payload: never) => void>> = {
  'node.runtime': ((ctx: Context, result: CallResult<CriReply<CriMethods['Status']['answer']>, 'register' | 'report'>) => {
    const reply = result.form === 'response' ? result.value : undefined
    const before = health(ctx)
    if (reply?.ok)
      ctx.table<RuntimeHealth>('node').put('health', {
        okAt: ctx.now,
        networkReady: reply.value.networkReady,
        networkMessage: reply.value.networkMessage,
        bootedAt: reply.value.bootedAt,
      })
    else if (before.okAt < 0) ctx.table<RuntimeHealth>('node').put('health', before)
    if (result.data === 'register') {
      register(ctx)
      return
    }
    ctx.call(
      config(ctx).runtime,
      'cri.ListImages',
      {},
      { then: { kind: 'node.images' }, flow: 'control', summary: 'ListImages', timeoutMs: 10_000 },
    )
  }) as never,
  'node.images': ((ctx: Context, result: CallResult<CriReply<{ images: readonly ImageStatus[] }>>) => {
    if (result.form === 'response' && result.value.ok)
      ctx.table<Reported>('node').put('reported', { ...reported(ctx), images: result.value.value.images })
    report(ctx)
    armReport(ctx)
  }) as never,
  'node.registered': ((ctx: Context, result: ApiResult) => {
    const status = result.form === 'response' ? result.value.status : 0
    if (status !== 201 && status !== 409) {
      if (result.form === 'error') passOver(ctx, config(ctx).client)
      ctx.setTimer('node-register', status === 0 ? REGISTER_RETRY_MS / 10 : REGISTER_RETRY_MS, 'node.register', null, { periodic: true })
      return
    }
    ctx.foreground()
    ctx.record(
      'kubelet.node.registered',
      { node: config(ctx).node, existed: status === 409 },
      { apiVersion: 'v1', kind: 'Node', name: config(ctx).node },
    )
    for (const reason of ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'])
      nodeEvent(ctx, 'Normal', reason, `Node ${config(ctx).node} status is now: ${reason}`)
    nodeEvent(ctx, 'Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods')
    ctx.table<Reported>('node').put('reported', {
      ...reported(ctx),
      registered: true,
      ...(status === 201 ? { conditions: conditions(ctx), reportedAt: ctx.now } : {}),
    })
    passPodCIDR(ctx)
    renewLease(ctx)
    armReport(ctx)
  }) as never,
  'node.register': ((ctx: Context) => register(ctx)) as never,
  'node.status': ((ctx: Context) => checkRuntime(ctx, 'report')) as never,
  'node.reported': ((ctx: Context, result: ApiResult) => {
    if (result.form === 'response' && result.value.status < 300) return
    if (result.form === 'error') passOver(ctx, config(ctx).client)
    ctx.table<Reported>('node').put('reported', { ...reported(ctx), reportedAt: -STATUS_REPORT_MS })
  }) as never,
  'node.cidr': ((ctx: Context, result: CallResult<CriReply, string>) => {
    if (result.form === 'response' && result.value.ok) checkRuntime(ctx, 'report')
    else ctx.table<string>('node-cidr').delete('passed')
  }) as never,
  'node.lease': ((ctx: Context) => renewLease(ctx)) as never,
  'node.lease.written': ((ctx: Context, result: ApiResult<string>) => {
    const status = result.form === 'response' ? result.value.status : 0
    if (status >= 200 && status < 300 && result.form === 'response') {
      ctx.table<KubeObject>('lease').put('lease', result.value.body as KubeObject)
      ctx.record('kubelet.lease.renewed', { node: config(ctx).node })
      if (result.data === 'get') renewLease(ctx)
      return
    }
    if (result.form === 'error') passOver(ctx, config(ctx).client)
    if (result.data === 'get' && status === 404) createLease(ctx)
    else if (result.data !== 'get') ctx.table('lease').delete('lease')
  }) as never,
}
