// The environment of a container (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, pkg/kubelet/envvars, third_party expansion).
import type { Container, Pod, Service } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { store } from '../../client/informer.ts'
import { decodeBase64 } from '../runtime/shell/applets.ts'
import { config } from './config.ts'
import { type Allocatable, fieldValue, type PodAddresses, resourceValue } from './field-refs.ts'
import { getObject } from './objects.ts'
import { nameOf, namespaceOf, specOf } from './pod-util.ts'
import { once, type Work } from './workflow.ts'

export type Environment = { readonly env: readonly (readonly [string, string])[] } | { readonly error: string }

/** `$(NAME)` from variables known so far; `$$` is a dollar; unknown names stay. */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$' || i + 1 >= text.length) {
      out += text[i]
      continue
    }
    const next = text[i + 1]
    if (next === '$') {
      out += '$'
      i++
    } else if (next === '(') {
      const end = text.indexOf(')', i + 2)
      if (end < 0) {
        out += '$('
        i++
      } else {
        const name = text.slice(i + 2, end)
        out += lookup(name) ?? `$(${name})`
        i = end
      }
    } else {
      out += `$${next}`
      i++
    }
  }
  return out
}

const shoutingSnake = (name: string): string => name.toUpperCase().replaceAll('-', '_')

function serviceVariables(service: Service): [string, string][] {
  const name = shoutingSnake(service.metadata.name ?? '')
  const ip = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  const vars: [string, string][] = [
    [`${name}_SERVICE_HOST`, ip],
    [`${name}_SERVICE_PORT`, String(ports[0]?.port ?? '')],
  ]
  for (const p of ports) if (p.name) vars.push([`${name}_SERVICE_PORT_${shoutingSnake(p.name)}`, String(p.port)])
  for (const [i, p] of ports.entries()) {
    const protocol = p.protocol ?? 'TCP'
    const prefix = `${name}_PORT_${p.port}_${protocol.toUpperCase()}`
    const url = `${protocol.toLowerCase()}://${ip}:${p.port}`
    if (i === 0) vars.push([`${name}_PORT`, url])
    vars.push([prefix, url], [`${prefix}_PROTO`, protocol.toLowerCase()], [`${prefix}_PORT`, String(p.port)], [`${prefix}_ADDR`, ip])
  }
  return vars
}

/** Services of the pod's namespace, and those of the control plane. */
export function serviceEnvironment(services: readonly KubeObject[], namespace: string, links: boolean): [string, string][] {
  const byName = new Map<string, Service>()
  for (const object of services) {
    const service = object as unknown as Service
    const ip = service.spec?.clusterIP
    if (!ip || ip === 'None') continue
    const { name = '' } = service.metadata
    if (service.metadata.namespace === 'default' && name === 'kubernetes') {
      if (!byName.has(name)) byName.set(name, service)
    } else if (service.metadata.namespace === namespace && links) byName.set(name, service)
  }
  return [...byName.values()].flatMap(serviceVariables)
}

const decoded = (object: KubeObject, kind: 'configmap' | 'secret'): [string, string][] =>
  kind === 'configmap'
    ? Object.entries((object.data ?? {}) as Record<string, string>)
    : Object.entries((object.data ?? {}) as Record<string, string>).map(([k, v]): [string, string] => [k, decodeBase64(v)])

export function* makeEnvironment(pod: Pod, container: Container, addresses: PodAddresses, allocatable: Allocatable): Work<Environment> {
  const namespace = namespaceOf(pod)
  const links = specOf(pod).enableServiceLinks !== false
  const services = yield* once((ctx) => serviceEnvironment(store(ctx, 'services').values(), namespace, links))
  const values = new Map<string, string>()
  const service = new Map(services)
  for (const from of container.envFrom ?? []) {
    const ref = from.configMapRef ?? from.secretRef
    const kind = from.configMapRef ? 'configmap' : 'secret'
    if (!ref?.name) continue
    const found = yield* getObject(kind, namespace, ref.name)
    if ('error' in found) {
      if (ref.optional && / not found$/.test(found.error)) continue
      return { error: found.error }
    }
    for (const [key, value] of decoded(found.object, kind)) values.set(`${from.prefix ?? ''}${key}`, value)
  }
  const lookup = (name: string): string | undefined => values.get(name) ?? service.get(name)
  for (const env of container.env ?? []) {
    let value = env.value ?? ''
    if (value !== '') value = expand(value, lookup)
    else if (env.valueFrom) {
      const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = env.valueFrom
      if (fieldRef) value = fieldValue(pod, fieldRef.fieldPath, addresses)
      else if (resourceFieldRef)
        value = resourceValue(
          pod,
          resourceFieldRef.containerName || container.name,
          resourceFieldRef.resource,
          resourceFieldRef.divisor,
          allocatable,
        )
      else {
        const ref = configMapKeyRef ?? secretKeyRef
        const kind = configMapKeyRef ? 'configmap' : 'secret'
        if (ref?.name) {
          const found = yield* getObject(kind, namespace, ref.name)
          if ('error' in found) {
            if (ref.optional && / not found$/.test(found.error)) continue
            return { error: found.error }
          }
          const data = new Map(decoded(found.object, kind))
          if (!data.has(ref.key)) {
            if (ref.optional) continue
            return { error: `couldn't find key ${ref.key} in ${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${namespace}/${ref.name}` }
          }
          value = data.get(ref.key) as string
        }
      }
    }
    values.delete(env.name)
    values.set(env.name, value)
  }
  for (const [name, value] of service) if (!values.has(name)) values.set(name, value)
  return { env: [...values] }
}

/** Command and arguments see the container's variables. */
export const expandWords = (words: readonly string[] | undefined, env: readonly (readonly [string, string])[]): string[] => {
  const map = new Map(env)
  return (words ?? []).map((w) => expand(w, (name) => map.get(name)))
}

export function* allocatableOf(): Work<Allocatable> {
  return yield* once((ctx) => {
    const node = store(ctx, 'nodes').get(config(ctx).node) as { status?: { allocatable?: Record<string, string> } } | undefined
    return node?.status?.allocatable ?? {}
  })
}

/** The name that the pod's own kernel has: with its domain if the pod asks for that. */
export function sandboxHostname(pod: Pod, clusterDomain: string, node: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain, node)
  return specOf(pod).setHostnameAsFQDN && domain !== '' ? `${hostname}.${domain}` : hostname
}

/** hostname and domain of a pod (kubelet_pods.go GeneratePodHostNameAndDomain). */
export function podHostname(pod: Pod, clusterDomain: string, node: string): { hostname: string; domain: string } {
  const spec = specOf(pod)
  if (spec.hostNetwork) return { hostname: node, domain: '' }
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: '' }
  const name = spec.hostname || nameOf(pod)
  const hostname = name.length > 63 ? name.slice(0, 63).replace(/[-.]+$/, '') : name
  return { hostname, domain: spec.subdomain ? `${spec.subdomain}.${namespaceOf(pod)}.svc.${clusterDomain}` : '' }
}
