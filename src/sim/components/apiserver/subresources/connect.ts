// Doors through the API server to the kubelet of a pod's node: log, exec, attach, portforward (pkg/registry/core/pod/{strategy,rest}).
import { type FieldError, invalid as invalidField } from '../../../api/field.ts'
import { badRequest, failure, invalid } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { mutate, validate } from '../admission/chain.ts'
import { refuse } from '../refusal.ts'
import { queryBool, queryValue } from '../request-info.ts'
import { attributesOf } from '../rest/create.ts'
import { readObject } from '../rest/get.ts'
import { queryInt } from '../rest/options.ts'
import type { ResourceRq } from '../rest/request.ts'
import type { Plan, Query } from '../types.ts'

const encode = (query: Query): string => query.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&')

const containersOf = (pod: KubeObject): { name: string }[] => [...(pod.spec.containers ?? [])]
const names = (list: readonly { name: string }[]): string => list.map((c) => c.name).join(' ')

/** The container a request means; a pod with one needs no name. */
function containerOf(pod: KubeObject, asked: string | undefined): string {
  const { name } = pod.metadata
  const init: { name: string }[] = pod.spec.initContainers ?? []
  const ephemeral: { name: string }[] = pod.spec.ephemeralContainers ?? []
  const main = containersOf(pod)
  if (!asked) {
    const only = main[0]
    if (main.length === 1 && only) {
      if (init.length === 0 && ephemeral.length === 0) return only.name
      return only.name
    }
    if (main.length === 0) return refuse(badRequest(`a container name must be specified for pod ${name}`))
    const others = init.length > 0 ? ` or one of the init containers: [${names(init)}]` : ''
    return refuse(badRequest(`a container name must be specified for pod ${name}, choose one of: [${names(main)}]${others}`))
  }
  if (![...init, ...main, ...ephemeral].some((c) => c.name === asked)) refuse(badRequest(`container ${asked} is not valid for pod ${name}`))
  return asked
}

export function planLog(rq: ResourceRq): Plan {
  const { query } = rq.info
  const errors = logErrors(rq)
  if (errors.length > 0) refuse(invalid({ group: '', name: 'PodLogOptions' }, rq.info.name, errors))
  const pod = readObject(withoutVersion(rq))
  const container = containerOf(pod, queryValue(query, 'container'))
  const { nodeName } = pod.spec
  // A pod that is nowhere yet has written nothing.
  if (!nodeName) return { do: 'answer', answer: { code: 200, text: '' } }
  const passed = query.filter(([k]) =>
    ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream'].includes(k),
  )
  const path = `/containerLogs/${rq.info.namespace}/${rq.info.name}/${container}${passed.length > 0 ? `?${encode(passed)}` : ''}`
  return { do: 'proxy', node: nodeName, request: { ...rq.request, method: 'GET', path }, stream: queryBool(query, 'follow') === true }
}

const withoutVersion = (rq: ResourceRq): ResourceRq => ({ ...rq, info: { ...rq.info, query: [] } })

function logErrors(rq: ResourceRq): FieldError[] {
  const errors: FieldError[] = []
  const positive = (key: string, min: number, detail: string): void => {
    const value = queryInt(rq, key)
    if (value !== undefined && value < min) errors.push(invalidField(key, value, detail))
  }
  positive('tailLines', 0, 'must be greater than or equal to 0')
  positive('limitBytes', 1, 'must be greater than 0')
  positive('sinceSeconds', 1, 'must be greater than 0')
  return errors
}

/** exec, attach and portforward: the kubelet's own paths, with the rest of the query. */
export function planConnect(rq: ResourceRq): Plan {
  const { subresource, namespace, name, query } = rq.info
  const pod = readObject(withoutVersion(rq))
  const a = { ...attributesOf(rq, 'CONNECT', name, undefined, pod, false) }
  mutate(a)
  validate(a)
  const { nodeName } = pod.spec
  if (subresource === 'portforward') {
    if (!nodeName) return refuse(badRequest(`pod ${name} does not have a host assigned`))
    return {
      do: 'proxy',
      node: nodeName,
      request: { ...rq.request, path: `/portForward/${namespace}/${name}${query.length > 0 ? `?${encode(query)}` : ''}` },
      stream: true,
    }
  }
  const container = containerOf(pod, queryValue(query, 'container'))
  if (!nodeName) return refuse(badRequest(`pod ${name} does not have a host assigned`))
  if (subresource === 'exec' && !query.some(([k]) => k === 'command'))
    return refuse(failure(400, 'BadRequest', 'you must specify at least 1 command for the container'))
  const rest = query.filter(([k]) => k !== 'container')
  return {
    do: 'proxy',
    node: nodeName,
    request: { ...rq.request, path: `/${subresource}/${namespace}/${name}/${container}${rest.length > 0 ? `?${encode(rest)}` : ''}` },
    stream: true,
  }
}
