// How things are called in sentences, and which element of the picture stands for them.
import type { ObjectRef } from '../sim/api/types/object.ts'
import type { ElementId } from './scene.ts'

/** `kubelet/node-1` → `The kubelet on node-1`; `kube-scheduler/control-plane` → `kube-scheduler`. */
export function actorName(actor: string): string {
  const [type = actor, where] = actor.split('/')
  switch (type) {
    case 'you':
    case 'kubectl':
      return actor === 'you' ? 'You' : 'kubectl'
    case 'client':
      return 'The outside client'
    case 'kubelet':
      return `The kubelet on ${where}`
    case 'containerd':
      return `containerd on ${where}`
    case 'kube-proxy':
      return `kube-proxy on ${where}`
    case 'kernel':
      return `The kernel of ${where}`
    case 'etcd':
      return 'etcd'
    case 'coredns':
      return 'CoreDNS'
    case 'net':
      return 'The network'
    case 'fault-injector':
      return 'The visitor'
    default:
      return type
  }
}

/** The element of the picture at which a process is drawn. */
export function elementOf(process: string): ElementId {
  const [type = process, where = ''] = process.split('/')
  if (type === 'you' || type === 'kubectl' || type === 'kubeadm' || type === 'door' || type === 'fault-injector') return 'you'
  if (type === 'client') return 'outside'
  if (type === 'kernel') return `host:${where}`
  if (type === 'pod') return `pod:${process.slice(4)}`
  return `component:${type}/${where}`
}

export function refText(ref: ObjectRef | undefined): string {
  if (!ref) return ''
  return `${ref.kind} ${ref.name}`
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

export function joined(items: readonly string[], limit = 4): string {
  if (items.length <= 1) return items[0] ?? ''
  if (items.length > limit) return `${items.slice(0, limit).join(', ')} and ${items.length - limit} more`
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
}

/** Bytes as `48 MB`. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`)
