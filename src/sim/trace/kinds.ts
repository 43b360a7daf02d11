// The closed union of trace kinds. Each component declares its own in kinds/; this file only joins them.
// Explanations and scenes are Record<TraceKind, …>: a kind without an answer does not compile.
import { type ApiserverTrace, apiserverLevels } from './kinds/apiserver.ts'
import { type ClientTrace, clientLevels } from './kinds/client.ts'
import { type ControllerTrace, controllerLevels } from './kinds/controller.ts'
import { type DnsTrace, dnsLevels } from './kinds/dns.ts'
import { type EtcdTrace, etcdLevels } from './kinds/etcd.ts'
import { type HostTrace, hostLevels } from './kinds/host.ts'
import { type KubeletTrace, kubeletLevels } from './kinds/kubelet.ts'
import { type NetTrace, netLevels } from './kinds/net.ts'
import { type ProxyTrace, proxyLevels } from './kinds/proxy.ts'
import { type SchedulerTrace, schedulerLevels } from './kinds/scheduler.ts'
import { type VisitorTrace, visitorLevels } from './kinds/visitor.ts'
import type { TraceLevel } from './record.ts'

export interface TraceData
  extends NetTrace,
    HostTrace,
    EtcdTrace,
    ApiserverTrace,
    ClientTrace,
    ControllerTrace,
    SchedulerTrace,
    KubeletTrace,
    ProxyTrace,
    DnsTrace,
    VisitorTrace {}

export type TraceKind = keyof TraceData

export const TRACE_LEVELS: Readonly<Record<TraceKind, TraceLevel>> = {
  ...netLevels,
  ...hostLevels,
  ...etcdLevels,
  ...apiserverLevels,
  ...clientLevels,
  ...controllerLevels,
  ...schedulerLevels,
  ...kubeletLevels,
  ...proxyLevels,
  ...dnsLevels,
  ...visitorLevels,
}
