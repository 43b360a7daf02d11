// What CoreDNS' plugin kubernetes answers: plugin/kubernetes/{handler,kubernetes,parse,reverse}.go and plugin/backend_lookup.go.
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { compareStrings, sortStrings } from '../../../lib/compare.ts'
import type { DnsQuestion, DnsResponse, RecordType } from './message.ts'

export interface DnsData {
  services(namespace: string, name: string): readonly Service[]
  slices(namespace: string, service: string): readonly EndpointSlice[]
  servicesByIP(ip: string): readonly Service[]
  slicesByIP(ip: string): readonly EndpointSlice[]
  hasNamespace(name: string): boolean
}

export interface DnsOptions {
  /** In order; the most specific that ends a name answers it. */
  readonly zones: readonly string[]
  readonly ttl: number
  /** Virtual seconds since 1970; CoreDNS' serial is the time of its last change. */
  readonly serial: number
  /** Names outside the zones: what the node's own resolver would say. */
  forward?(question: DnsQuestion): DnsResponse
}

export const DEFAULT_ZONES: readonly string[] = ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.']

/** plugin/etcd/msg.Service: one thing that a name stands for. */
interface Entry {
  /** An address, a name (ExternalName), or '' for text. */
  readonly host: string
  readonly port: number
  /** The name under which it is known; the target of SRV records. */
  readonly owner: string
  readonly ttl: number
  readonly text?: string
}

/** undefined = no such name. */
type Found = readonly Entry[] | undefined

interface Question {
  /** As asked, with the final dot. */
  readonly asked: string
  /** In lower case. */
  readonly name: string
  /** With the case of the question. */
  readonly zone: string
  readonly type: RecordType
}

interface Records {
  readonly answer: readonly string[]
  readonly additional?: readonly string[]
}

const DNS_VERSION = '1.1.0'
const isAddress = (host: string): boolean => isIPv4(host) || host.includes(':')
const isIPv4 = (host: string): boolean =>
  /^\d+\.\d+\.\d+\.\d+$/.test(host) && host.split('.').every((p) => Number(p) <= 255 && (p === '0' || !p.startsWith('0')))
const isIPv6 = (host: string): boolean => {
  if (!/^[0-9a-f:]+$/.test(host) || host.split('::').length > 2) return false
  const groups = host.split(':')
  return (
    groups.length <= 8 &&
    groups.every((g) => g.length <= 4) &&
    (host.includes('::') || (groups.length === 8 && groups.every((g) => g !== '')))
  )
}
const fqdn = (name: string): string => (name.endsWith('.') ? name : `${name}.`)

export function answerDns(question: DnsQuestion, data: DnsData, options: DnsOptions): DnsResponse {
  const asked = fqdn(question.name)
  const name = asked.toLowerCase()
  const zone = [...options.zones]
    .filter((z) => name === z || name.endsWith(`.${z}`))
    .sort((a, b) => b.length - a.length || compareStrings(a, b))[0]
  if (zone === undefined)
    return options.forward?.(question) ?? { status: 'REFUSED', flags: 'qr', answer: [], authority: [], additional: [] }
  const q: Question = { asked, name, zone: asked.slice(asked.length - zone.length), type: question.type }
  const records = lookup(q, data, options)
  const soa = soaRecord(q.zone, options)
  if (records === undefined) return { status: 'NXDOMAIN', flags: 'qr aa', answer: [], authority: [soa], additional: [] }
  if (records.answer.length === 0) return { status: 'NOERROR', flags: 'qr aa', answer: [], authority: [soa], additional: [] }
  return {
    status: 'NOERROR',
    flags: 'qr aa',
    answer: sortStrings(records.answer),
    authority: [],
    additional: sortStrings(records.additional ?? []),
  }
}

const soaRecord = (zone: string, { ttl, serial }: DnsOptions): string =>
  `${zone} ${ttl} SOA ns.dns.${zone} hostmaster.${zone} ${serial} 7200 1800 86400 ${ttl}`

function lookup(q: Question, data: DnsData, options: DnsOptions): Records | undefined {
  switch (q.type) {
    case 'A':
    case 'AAAA':
      return addresses(q, q.type as 'A' | 'AAAA', data, options, [])
    case 'TXT': {
      if (q.name === `dns-version.${q.zone.toLowerCase()}`) return { answer: [`${q.asked} 28800 TXT "${DNS_VERSION}"`] }
      // Upstream answers NXDOMAIN here even for names that exist without a record of their own (zone, namespace).
      return (entries(q, data, options) ?? []).length > 0 ? { answer: [] } : undefined
    }
    case 'CNAME': {
      const found = entries(q, data, options)
      const first = found?.[0]
      return found && { answer: first && !isAddress(first.host) ? [`${q.asked} ${first.ttl} CNAME ${fqdn(first.host)}`] : [] }
    }
    case 'SRV':
      return srv(q, data, options)
    case 'PTR': {
      const ip = reverseAddress(q.name)
      if (ip === undefined) return entries(q, data, options) && { answer: [] }
      const targets = reverse(ip, data, options)
      return targets.length === 0 ? undefined : { answer: targets.map((t) => `${q.asked} ${options.ttl} PTR ${t}`) }
    }
    case 'SOA':
      return { answer: q.name === q.zone.toLowerCase() ? [soaRecord(q.zone, options)] : [] }
    default:
      return entries(q, data, options) && { answer: [] }
  }
}

function addresses(q: Question, type: 'A' | 'AAAA', data: DnsData, options: DnsOptions, before: readonly string[]): Records | undefined {
  const found = entries(q, data, options)
  if (!found) return undefined
  const answer: string[] = []
  for (const e of found) {
    if (!isAddress(e.host)) {
      const target = fqdn(e.host)
      const cname = `${q.asked} ${e.ttl} CNAME ${target}`
      if (target.toLowerCase() === q.name || before.length > 7 || before.includes(cname)) continue
      if (target.toLowerCase().endsWith(`.${q.zone.toLowerCase()}`)) {
        const next = addresses({ ...q, asked: target, name: target.toLowerCase() }, type, data, options, [...before, cname])
        if (next && next.answer.length > 0) answer.push(cname, ...next.answer)
      } else answer.push(cname, ...(options.forward?.({ name: target, type }).answer ?? []))
    } else if (isIPv4(e.host) === (type === 'A')) answer.push(`${q.asked} ${e.ttl} ${type} ${e.host}`)
  }
  return { answer: [...new Set(answer)] }
}

function srv(q: Question, data: DnsData, options: DnsOptions): Records | undefined {
  const found = entries(q, data, options)?.filter((e) => isAddress(e.host))
  if (!found) return undefined
  const weight = Math.max(1, Math.floor((100 / (100 * found.length)) * 100))
  const answer = new Set<string>()
  const additional = new Set<string>()
  for (const e of found) {
    if (e.port === -1) continue
    answer.add(`${q.asked} ${e.ttl} SRV 0 ${weight} ${e.port} ${e.owner}`)
    additional.add(`${e.owner} ${e.ttl} ${isIPv4(e.host) ? 'A' : 'AAAA'} ${e.host}`)
  }
  return { answer: [...answer], additional: [...additional] }
}

/** Everything that a name stands for; [] for names that only have others below them. */
function entries(q: Question, data: DnsData, options: DnsOptions): Found {
  const base = q.name === q.zone.toLowerCase() ? '' : q.name.slice(0, q.name.length - q.zone.length - 1)
  if (base === '' || base === 'svc' || base === 'pod' || base === 'ns.dns') return []
  const labels = base.split('.')
  const kind = labels.pop()
  if ((kind !== 'svc' && kind !== 'pod') || reverseAddress(q.name) !== undefined) return undefined
  const namespace = labels.pop() ?? ''
  const name = labels.pop()
  let endpoint = ''
  let port = ''
  let protocol = ''
  if (labels.length === 1) endpoint = labels[0] as string
  else if (labels.length === 2) [port, protocol] = labels.map((l) => l.replace(/^_/, '')) as [string, string]
  else if (labels.length > 2) return undefined
  if (!data.hasNamespace(namespace)) return undefined
  if (name === undefined) return []
  return kind === 'pod' ? podEntries(q, name, options) : serviceEntries(q, { namespace, name, endpoint, port, protocol }, data, options)
}

/** `pods insecure`: any address is answered, whether or not a pod has it. */
function podEntries(q: Question, name: string, { ttl }: DnsOptions): Found {
  const dashes = name.split('-').length - 1
  const ip = dashes === 3 && !name.includes('--') ? name.replaceAll('-', '.') : name.replaceAll('-', ':')
  return isIPv4(ip) || (ip.includes(':') && isIPv6(ip)) ? [{ host: ip, port: 0, owner: q.asked, ttl }] : undefined
}

interface Wanted {
  readonly namespace: string
  readonly name: string
  readonly endpoint: string
  readonly port: string
  readonly protocol: string
}

function serviceEntries(q: Question, w: Wanted, data: DnsData, { ttl }: DnsOptions): Found {
  const zone = q.zone.toLowerCase()
  const out: Entry[] = []
  const wants = (portName: string, protocol: string): boolean =>
    (w.port === '' || w.port === portName.toLowerCase()) && (w.protocol === '' || w.protocol === protocol.toLowerCase())
  for (const service of data.services(w.namespace, w.name)) {
    const { spec } = service
    const owner = `${w.name}.${w.namespace}.svc.${zone}`
    if (spec?.type === 'ExternalName') {
      if (w.endpoint === '' && w.port === '' && w.protocol === '' && !isAddress(spec.externalName ?? ''))
        out.push({ host: spec.externalName ?? '', port: 0, owner, ttl })
      continue
    }
    if (spec?.clusterIP === 'None' || w.endpoint !== '') {
      for (const { ip, host, ports } of readyEndpoints(data.slices(w.namespace, w.name))) {
        if (w.endpoint !== '' && w.endpoint !== host.toLowerCase()) continue
        for (const p of ports) if (wants(p.name, p.protocol)) out.push({ host: ip, port: p.port, owner: `${host}.${owner}`, ttl })
      }
      continue
    }
    const ips = spec?.clusterIPs && spec.clusterIPs.length > 0 ? spec.clusterIPs : spec?.clusterIP ? [spec.clusterIP] : []
    for (const p of spec?.ports ?? [])
      if (wants(p.name ?? '', p.protocol ?? 'TCP')) for (const host of ips) out.push({ host, port: p.port, owner, ttl })
  }
  return out.length > 0 ? out : undefined
}

interface ReadyEndpoint {
  readonly ip: string
  /** Its label below the Service's name: its host name, else its address with dashes. */
  readonly host: string
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[]
}

function readyEndpoints(slices: readonly EndpointSlice[]): ReadyEndpoint[] {
  return slices.flatMap((slice) => {
    const ports: { name: string; port: number; protocol: string }[] = (slice.ports ?? []).map((p) => ({
      name: p.name ?? '',
      port: p.port ?? -1,
      protocol: p.protocol ?? 'TCP',
    }))
    if (ports.length === 0) ports.push({ name: '', port: -1, protocol: '' })
    return (slice.endpoints ?? []).flatMap((e) =>
      (e.conditions?.ready ?? true) ? e.addresses.map((ip) => ({ ip, host: e.hostname || ip.replace(/[.:]/g, '-'), ports })) : [],
    )
  })
}

/** The address that a name below in-addr.arpa or ip6.arpa means. */
function reverseAddress(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa.')) {
    const ip = name.slice(0, -'.in-addr.arpa.'.length).split('.').reverse().join('.')
    return isIPv4(ip) ? ip : undefined
  }
  return undefined
}

function reverse(ip: string, data: DnsData, options: DnsOptions): string[] {
  const zone = options.zones.find((z) => !z.endsWith('.arpa.')) ?? 'cluster.local.'
  const [service] = data.servicesByIP(ip)
  if (service) return [`${service.metadata.name}.${service.metadata.namespace}.svc.${zone}`]
  return data.slicesByIP(ip).flatMap((slice) => {
    const name = slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''
    return readyEndpoints([slice]).flatMap((e) => (e.ip === ip ? [`${e.host}.${name}.${slice.metadata.namespace}.svc.${zone}`] : []))
  })
}
