// Doors through the API server to whatever listens: nodes/NAME/proxy, pods/NAME/proxy, services/NAME/proxy
// (pkg/registry/core/{node,pod,service}: ResourceLocation; apimachinery/pkg/util/proxy/upgradeaware.go).
import { badRequest, serviceUnavailable } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { mutate, validate } from '../admission/chain.ts'
import { refuse } from '../refusal.ts'
import { attributesOf } from '../rest/create.ts'
import { readObject } from '../rest/get.ts'
import type { ResourceRq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

const KUBELET_PORT = '10250'

interface Parts {
  readonly scheme: string
  readonly name: string
  readonly port: string
}

/** `name`, `name:port` or `scheme:name:port` (apimachinery/pkg/util/net SplitSchemeNamePort). */
function splitSchemeNamePort(id: string): Parts | undefined {
  const parts = id.split(':')
  const [a = '', b = '', c = ''] = parts
  const split =
    parts.length === 1
      ? { scheme: '', name: a, port: '' }
      : parts.length === 2
        ? { scheme: '', name: a, port: b }
        : { scheme: a, name: b, port: c }
  if (parts.length > 3 || split.name === '' || !['', 'http', 'https'].includes(split.scheme)) return undefined
  return split
}

/** What follows `/proxy`, query included; '' if not even a slash does. */
function restOf(rq: ResourceRq): string {
  const { path } = rq.request
  const mark = path.indexOf('?')
  const before = mark < 0 ? path : path.slice(0, mark)
  const segments = before.split('/')
  const at = segments.indexOf('proxy', rq.info.namespace === '' || rq.info.resource === 'nodes' ? 5 : 7)
  const rest = segments.slice(at + 1)
  return rest.length === 0 ? '' : `/${rest.join('/')}${mark < 0 ? '' : path.slice(mark)}`
}

const read = (rq: ResourceRq, resource: string, name: string): KubeObject => {
  const served = rq.view.kind(resource) ?? rq.served
  return readObject({ ...rq, served, info: { ...rq.info, name, query: [] } })
}

/** Requests for the root go on to a path that ends with a slash. */
function redirect(rq: ResourceRq): Plan | undefined {
  const { method, path } = rq.request
  if (restOf(rq) !== '' || (method !== 'GET' && method !== 'HEAD')) return undefined
  const mark = path.indexOf('?')
  return {
    do: 'answer',
    answer: { code: 301, text: '', headers: { location: mark < 0 ? `${path}/` : `${path.slice(0, mark)}/${path.slice(mark)}` } },
  }
}

export function planProxy(rq: ResourceRq): Plan {
  const { resource, name } = rq.info
  const id = splitSchemeNamePort(name) ?? refuse(badRequest(`invalid ${resource.slice(0, -1)} request ${JSON.stringify(name)}`))
  const a = attributesOf(rq, 'CONNECT', name, undefined, undefined, false)
  mutate(a)
  validate(a)
  if (resource === 'nodes') return node(rq, id)
  return resource === 'pods' ? pod(rq, id) : service(rq, id)
}

function node(rq: ResourceRq, { name, port }: Parts): Plan {
  const object = read(rq, 'nodes', name)
  const again = redirect(rq)
  if (again) return again
  if (port === '' || port === KUBELET_PORT) return { do: 'proxy', node: name, request: { ...rq.request, path: restOf(rq) }, stream: false }
  const ip = ((object.status?.addresses ?? []) as { type: string; address: string }[]).find((x) => x.type === 'InternalIP')?.address ?? ''
  return reach(rq, ip, Number(port))
}

function pod(rq: ResourceRq, { scheme, name, port }: Parts): Plan {
  const { spec, status } = read(rq, 'pods', name)
  const declared = ((spec.containers ?? []) as { ports?: { containerPort: number }[] }[]).find((c) => (c.ports ?? []).length > 0)
    ?.ports?.[0]?.containerPort
  const ip: string = status?.podIP ?? ''
  if (ip === '') refuse(badRequest('address not allowed'))
  return redirect(rq) ?? reach(rq, ip, Number(port) || (declared ?? (scheme === 'https' ? 443 : 80)))
}

function service(rq: ResourceRq, { name, port }: Parts): Plan {
  let portName = port
  if (/^\d+$/.test(port)) {
    const { spec } = read(rq, 'services', name)
    const found = ((spec.ports ?? []) as { port: number; name?: string }[]).find((p) => p.port === Number(port))
    if (!found) return refuse(serviceUnavailable(`no service port ${Number(port)} found for service ${JSON.stringify(name)}`))
    portName = found.name ?? ''
  }
  const subsets = (read(rq, 'endpoints', name).subsets ?? []) as {
    addresses?: { ip: string }[]
    ports?: { name?: string; port: number }[]
  }[]
  const start = Math.floor(rq.random() * subsets.length)
  for (let i = 0; i < subsets.length; i++) {
    const { addresses = [], ports = [] } = subsets[(start + i) % subsets.length] ?? {}
    const to = ports.find((p) => (p.name ?? '') === portName)
    const address = addresses[Math.floor(rq.random() * addresses.length)]
    if (to && address) return redirect(rq) ?? reach(rq, address.ip, to.port)
  }
  return refuse(serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`))
}

function reach(rq: ResourceRq, address: string, port: number): Plan {
  const { body, method } = rq.request
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  return { do: 'reach', address, port, request: { method, path: restOf(rq), ...(text === undefined ? {} : { body: text }) } }
}
