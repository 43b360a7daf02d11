// LimitRanger: plugin/pkg/admission/limitranger. Fills in what containers ask for, and refuses what is out of bounds.
import { sortedKeys, sortStrings } from '../../../../lib/compare.ts'
import { aggregateTexts } from '../../../api/field-error-text.ts'
import type { HttpResponse } from '../../../api/http.ts'
import { compareQuantities, isZeroQuantity, parseQuantity, quantityAsNumber, quantityToString } from '../../../api/quantity.ts'
import { podResources } from '../../../api/quota.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isKind, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'
/** A namespace without limits is looked up for real this often. */
const LIVE_TTL_MS = 30_000

type ResourceList = Readonly<Record<string, string>>

interface Limit {
  readonly type: string
  readonly min?: ResourceList
  readonly max?: ResourceList
  readonly default?: ResourceList
  readonly defaultRequest?: ResourceList
  readonly maxLimitRequestRatio?: ResourceList
}

interface Container {
  name: string
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
}

function rangesOf(a: Attributes): readonly KubeObject[] {
  const known = a.rq.view.list('limitranges', a.namespace)
  if (known.length > 0) return known
  const path = `/api/v1/namespaces/${a.namespace}/limitranges`
  if (a.rq.recently(path)) return known
  const answer = a.rq.need<HttpResponse>(`lookup/${path}`, { kind: 'lookup', method: 'GET', path, rememberMs: LIVE_TTL_MS })
  return ((answer.body as { items?: KubeObject[] } | undefined)?.items ?? []) as readonly KubeObject[]
}

const whole = (pod: KubeObject, which: 'requests' | 'limits'): ResourceList =>
  Object.fromEntries([...podResources(pod, which)].map(([k, v]) => [k, quantityToString(v)]))

const limitsOf = (range: KubeObject): Limit[] => (range.spec?.limits ?? []) as Limit[]
const q = (text: string): string => quantityToString(parseQuantity(text))

/** Default requests and limits for one container; says what it set. */
function fill(container: Container, limits: ResourceList, requests: ResourceList, what: string): string[] {
  const done: string[] = []
  const set = (kind: 'requests' | 'limits', defaults: ResourceList): void => {
    const own = container.resources?.[kind] ?? {}
    const missing = sortedKeys(defaults).filter((k) => !Object.hasOwn(own, k))
    if (missing.length === 0) return
    container.resources = {
      ...container.resources,
      [kind]: { ...own, ...Object.fromEntries(missing.map((k) => [k, defaults[k] as string])) },
    }
    done.push(`${sortStrings(missing).join(', ')} ${kind === 'requests' ? 'request' : 'limit'} for ${what} ${container.name}`)
  }
  set('requests', requests)
  set('limits', limits)
  return done
}

const merged = (range: KubeObject, key: 'default' | 'defaultRequest'): ResourceList =>
  Object.assign(
    {},
    ...limitsOf(range)
      .filter((l) => l.type === 'Container')
      .map((l) => l[key] ?? {}),
  ) as ResourceList

function mutatePod(a: Attributes, pod: KubeObject): string | undefined {
  let said: string | undefined
  for (const range of rangesOf(a)) {
    const [limits, requests] = [merged(range, 'default'), merged(range, 'defaultRequest')]
    const done = [
      ...(pod.spec.containers ?? []).flatMap((c: Container) => fill(c, limits, requests, 'container')),
      ...(pod.spec.initContainers ?? []).flatMap((c: Container) => fill(c, limits, requests, 'init container')),
    ]
    if (done.length === 0) continue
    said = done.join('; ')
    pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${said}` }
  }
  return said
}

function minProblem(type: string, name: string, bound: string, requests: ResourceList, limits: ResourceList): string | undefined {
  const [request, limit] = [requests[name], limits[name]]
  const head = `minimum ${name} usage per ${type} is ${q(bound)}`
  if (request === undefined) return `${head}.  No request is specified`
  if (compareQuantities(request, bound) < 0) return `${head}, but request is ${q(request)}`
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? `${head}, but limit is ${q(limit)}` : undefined
}

function maxProblem(type: string, name: string, bound: string, requests: ResourceList, limits: ResourceList): string | undefined {
  const [request, limit] = [requests[name], limits[name]]
  const head = `maximum ${name} usage per ${type} is ${q(bound)}`
  if (limit === undefined) return `${head}.  No limit is specified`
  if (compareQuantities(limit, bound) > 0) return `${head}, but limit is ${q(limit)}`
  return request !== undefined && compareQuantities(request, bound) > 0 ? `${head}, but request is ${q(request)}` : undefined
}

function maxRequestProblem(type: string, name: string, bound: string, requests: ResourceList): string | undefined {
  const request = requests[name]
  const head = `maximum ${name} usage per ${type} is ${q(bound)}`
  if (request === undefined) return `${head}.  No request is specified`
  return compareQuantities(request, bound) > 0 ? `${head}, but request is ${q(request)}` : undefined
}

function ratioProblem(type: string, name: string, bound: string, requests: ResourceList, limits: ResourceList): string | undefined {
  const [request, limit] = [requests[name], limits[name]]
  const head = `${name} max limit to request ratio per ${type} is ${q(bound)}`
  if (request === undefined || isZeroQuantity(request)) return `${head}, but no request is specified or request is 0`
  if (limit === undefined || isZeroQuantity(limit)) return `${head}, but no limit is specified or limit is 0`
  const ratio = quantityAsNumber(limit) / quantityAsNumber(request)
  return ratio > quantityAsNumber(bound) ? `${head}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

type Check = (type: string, name: string, bound: string, requests: ResourceList, limits: ResourceList) => string | undefined

const each = (list: ResourceList | undefined, type: string, requests: ResourceList, limits: ResourceList, check: Check): string[] =>
  sortedKeys(list)
    .map((name) => check(type, name, (list as ResourceList)[name] as string, requests, limits))
    .filter((p) => p !== undefined)

const bounds = (limit: Limit, requests: ResourceList, limits: ResourceList): string[] => [
  ...each(limit.min, limit.type, requests, limits, minProblem),
  ...each(limit.max, limit.type, requests, limits, maxProblem),
  ...each(limit.maxLimitRequestRatio, limit.type, requests, limits, ratioProblem),
]

function podProblems(range: KubeObject, pod: KubeObject): string[] {
  const out: string[] = []
  for (const limit of limitsOf(range)) {
    if (limit.type === 'Container') {
      for (const c of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])] as Container[])
        out.push(...bounds(limit, c.resources?.requests ?? {}, c.resources?.limits ?? {}))
    }
    if (limit.type === 'Pod') out.push(...bounds(limit, whole(pod, 'requests'), whole(pod, 'limits')))
  }
  return out
}

function claimProblems(range: KubeObject, claim: KubeObject): string[] {
  const requests = (claim.spec?.resources?.requests ?? {}) as ResourceList
  return limitsOf(range)
    .filter((l) => l.type === 'PersistentVolumeClaim')
    .flatMap((l) => [...each(l.min, l.type, requests, {}, minProblem), ...each(l.max, l.type, requests, {}, maxRequestProblem)])
}

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  handles(a) {
    if (isPod(a) && a.operation === 'UPDATE') return a.subresource === 'resize'
    if (a.subresource !== '' || (a.operation !== 'CREATE' && a.operation !== 'UPDATE')) return false
    return isPod(a) || isKind(a, '', 'persistentvolumeclaims')
  },
  admit: (a) => (isPod(a) && a.operation === 'CREATE' ? mutatePod(a, a.object as KubeObject) : void rangesOf(a)),
  validate(a) {
    const object = a.object as KubeObject
    for (const range of rangesOf(a)) {
      const problems = isPod(a) ? podProblems(range, object) : claimProblems(range, object)
      if (problems.length > 0) deny(a, aggregateTexts(problems))
    }
  },
}
