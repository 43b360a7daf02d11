// What containerd and the kernel below it remember. All of it is on disk or in processes that containerd only supervises, so it survives a restart.
import type { ComponentId, Table } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { ContainerConfig, RuntimeContainerStatus, SandboxConfig, SandboxStatus } from './cri.ts'
import type { FileNode } from './filesystem.ts'
import type { ProcessTree } from './shell/process.ts'

export interface ContainerdConfig {
  readonly node: string
  readonly nodeIP: string
  /** Told of every change, as CRI's container events are. */
  readonly kubelet: ComponentId
  readonly registry: { readonly pullMs: number } | { readonly roundTripMs: number; readonly bytesPerSecond: number }
  /** References of images that are on the node from the start. */
  readonly images: readonly string[]
  /** `runtime-config`: the kubelet passes the node's pod CIDR on (CRI UpdateRuntimeConfig); `agent`: a CNI agent installs its configuration. */
  readonly cni: 'runtime-config' | 'agent'
  /** Configuration of processes of the simulation that containers run, by the type that an image names; `pod` and `node` are added. */
  readonly processes: Readonly<Record<string, object>>
  /** Carries connections out of containers; without one, containers reach only addresses on their own node. */
  readonly network?: ComponentId
}

export interface Sandbox extends SandboxStatus {
  readonly config: SandboxConfig
  readonly lease: boolean
}

export interface Container extends RuntimeContainerStatus {
  readonly podUid: string
  readonly config: ContainerConfig
  readonly argv: readonly string[]
  readonly workingDir: string
  readonly env: readonly (readonly [string, string])[]
  readonly stopSignal: string
  /** Marks of log lines written so far. */
  readonly oomKilled?: true
}

export interface LogEntry {
  readonly at: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  /** The line is not complete (no newline yet). */
  readonly partial?: true
}

export interface PresentImage {
  readonly name: string
  readonly id: string
  readonly repoDigest: string
  readonly sizeBytes: number
  readonly pulledAt: number
  readonly user: string
}

export interface ExecSession {
  readonly id: string
  readonly container: string
  readonly command: readonly string[]
  readonly call: number
  readonly stdout: string
  readonly stderr: string
}

export interface Stopping {
  readonly container: string
  readonly calls: readonly number[]
}

export const DURABLE = [
  'sandboxes',
  'containers',
  'logs',
  'images',
  'trees',
  'files',
  'cni',
  'cni-leases',
  'open-lines',
  'host',
  'counters',
]

export const config = (ctx: Context): ContainerdConfig => ctx.config as ContainerdConfig
export const sandboxes = (ctx: Context): Table<Sandbox> => ctx.table('sandboxes')
export const containers = (ctx: Context): Table<Container> => ctx.table('containers')
/** Key: container id and line number. */
export const logs = (ctx: Context): Table<LogEntry> => ctx.table('logs')
export const images = (ctx: Context): Table<PresentImage> => ctx.table('images')
export const trees = (ctx: Context): Table<ProcessTree> => ctx.table('trees')
export const files = (ctx: Context): Table<FileNode> => ctx.table('files')
export const sessions = (ctx: Context): Table<ExecSession> => ctx.table('sessions')
export const stopping = (ctx: Context): Table<Stopping> => ctx.table('stopping')
export const counters = (ctx: Context): Table<number> => ctx.table('counters')
/** Followers of logs: call → position. */
export const followers = (ctx: Context): Table<{ container: string; call: number; next: number; timestamps: boolean; left?: number }> =>
  ctx.table('followers')

export function count(ctx: Context, name: string): number {
  const n = (counters(ctx).get(name) ?? 0) + 1
  counters(ctx).put(name, n)
  return n
}

const HEX = '0123456789abcdef'

export function newId(ctx: Context): string {
  let id = ''
  for (let part = 0; part < 8; part++) {
    let n = Math.floor(ctx.random('ids') * 4294967296)
    for (let i = 0; i < 8; i++) {
      id += HEX[n & 15]
      n >>>= 4
    }
  }
  return id
}
