// What two correct servers must agree on: what differs between any two runs becomes a numbered token.
// The same rules as the recordings were made with.

type Json = any

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const TIME_IN_TEXT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const CLUSTER_IP = /\b10\.(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b/g
const POD_IP = /\b10\.244\.\d{1,3}\.\d{1,3}\b/g
const NODE_IP = /\b172\.18\.0\.\d{1,3}\b/g
const HASH_LABELS = ['pod-template-hash', 'controller-revision-hash']
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'
const FAILED_CREATE = new RegExp(`\\bpods "(?:[a-z0-9.-]*-)?([${SAFE}]{5})" is forbidden`)
const SUCCESSFUL = new RegExp(`^(?:Created|Deleted) pod: (?:[a-z0-9.-]*?(?:-([${SAFE}]{8,10}))?-)([${SAFE}]{5})$`)

/** Collects the run's own random strings from every raw value of a case. */
export class Tokens {
  private readonly map = new Map<string, string>()
  private readonly counts = new Map<string, number>()
  private readonly numbers = new Map<string, string>()
  private patterns: [RegExp, string][] | undefined
  readonly keep: Set<string>

  constructor({ namespace, keep = [] }: { namespace?: string; keep?: readonly unknown[] }) {
    this.keep = new Set(keep.map(String))
    if (namespace) this.map.set(namespace, '{{ns}}')
  }

  private add(raw: string | undefined, kind: string): void {
    if (!raw || this.map.has(raw) || this.keep.has(raw)) return
    this.map.set(raw, `<${kind}-${this.count(kind)}>`)
    this.patterns = undefined
  }

  private count(kind: string): number {
    const n = (this.counts.get(kind) ?? 0) + 1
    this.counts.set(kind, n)
    return n
  }

  learn(v: Json): void {
    if (Array.isArray(v)) for (const x of v) this.learn(x)
    else if (v && typeof v === 'object') {
      const m = v.metadata
      if (m && typeof m === 'object') {
        for (const l of HASH_LABELS) if (m.labels?.[l]) this.learnHash(m.labels[l])
        if (m.generateName && typeof m.name === 'string' && m.name.startsWith(m.generateName))
          this.learnSuffix(m.name.slice(m.generateName.length))
      }
      for (const l of HASH_LABELS) if (typeof v[l] === 'string') this.learnHash(v[l])
      if (typeof v.reason === 'string' && typeof v.message === 'string') {
        const match =
          v.reason === 'FailedCreate'
            ? FAILED_CREATE.exec(v.message)
            : /^Successful(Create|Delete)$/.test(v.reason)
              ? SUCCESSFUL.exec(v.message)
              : null
        if (match?.length === 2) this.learnSuffix(match[1] as string)
        if (match?.length === 3) {
          if (match[1]) this.learnHash(match[1])
          this.learnSuffix(match[2] as string)
        }
      }
      for (const k of ['currentRevision', 'updateRevision'])
        if (typeof v[k] === 'string') this.learnHash((v[k] as string).split('-').at(-1) as string)
      for (const x of Object.values(v)) this.learn(x)
    }
  }

  private learnHash(h: string): void {
    const bare = h.includes('-') ? (h.split('-').at(-1) as string) : h
    if (/^[a-z0-9]{6,10}$/.test(bare)) this.add(bare, 'hash')
  }

  learnSuffix(s: string): void {
    if (/^[a-z0-9]{5}$/.test(s)) this.add(s, 'gen')
  }

  private numbered(s: string, re: RegExp, kind: string): string {
    return s.replace(re, (m) => (this.keep.has(m) ? m : this.number(kind, m)))
  }

  number(kind: string, raw: string | number): string {
    const key = `${kind}:${raw}`
    let token = this.numbers.get(key)
    if (!token) {
      token = `<${kind}-${this.count(kind)}>`
      this.numbers.set(key, token)
    }
    return token
  }

  replaceIn(text: string): string {
    let s = text
    this.patterns ??= [...this.map.keys()]
      .sort((a, b) => b.length - a.length)
      .map((k) => [new RegExp(`(?<![a-z0-9])${k.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![a-z0-9])`, 'g'), this.map.get(k) as string])
    for (const [re, to] of this.patterns) s = s.replace(re, to)
    s = this.numbered(s, UUID, 'uid')
    s = this.numbered(s, CLUSTER_IP, 'clusterIP')
    s = this.numbered(s, POD_IP, 'podIP')
    s = this.numbered(s, NODE_IP, 'nodeIP')
    s = s.replace(/kube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<gen>')
    s = s.replace(/ in scheme "[^"]*"/g, ' in scheme "<scheme>"')
    s = s.replace(/(may not change fields other than[^\n]*)\n@@ [\s\S]*$/, '$1\n<diff>')
    s = s.replace(TIME_IN_TEXT, '<time>')
    s = s.replace(/\bcontainerd:\/\/[0-9a-f]+\b|\bfake:\/\/[0-9a-f-]+\b/g, '<containerID>')
    s = s.replace(/sha256:[0-9a-f]{64}/g, '<sha256>')
    s = s.replace(/\b[0-9a-f]{64}\b/g, '<hex64>')
    return s.replace(
      / in [\d.]+m?s(?:econds)? \([\d.]+m?s(?:econds)? including waiting\)\. Image size: \d+ bytes\./g,
      ' in <duration> (<duration> including waiting). Image size: <size> bytes.',
    )
  }
}

export function normalise(
  v: Json,
  tokens: Tokens,
  { drop = [], keepManagedFields = false }: { drop?: readonly string[]; keepManagedFields?: boolean } = {},
): Json {
  const drops = drop.map((d) => d.split('.'))
  const walk = (x: Json, key: string, path: readonly string[]): Json => {
    if (Array.isArray(x)) {
      const out = x.map((y, i) => walk(y, key, [...path, String(i)])).filter((y) => y !== undefined)
      if (key === 'items' && x.some((y) => y?.metadata?.generateName)) out.sort((a, b) => compare(withoutNumbers(a), withoutNumbers(b)))
      return out
    }
    if (x && typeof x === 'object') {
      const out: Record<string, Json> = {}
      for (const k of Object.keys(x).sort()) {
        if (k === 'managedFields' && !keepManagedFields) continue
        const p = [...path, k]
        if (drops.some((d) => matches(d, p))) continue
        const y = walk(x[k], k, p)
        if (y !== undefined) Object.defineProperty(out, k, { value: y, enumerable: true, configurable: true, writable: true })
      }
      return out
    }
    if (typeof x === 'string') {
      if (key === 'resourceVersion') return x === '' || x === '0' ? x : '<rv>'
      if (key === 'continue' && x) return '<continue>'
      if (key === 'containerID' && x) return '<containerID>'
      if (key === 'imageID' && x) return '<imageID>'
      if ((key === 'token' || key === 'ca.crt') && x.length > 100) return `<${key}>`
      if (key === 'image') return tokens.replaceIn(x.replace(/^docker\.io\/library\//, ''))
      if (TIME.test(x)) return '<time>'
      if (key === 'cells' && !tokens.keep.has(x))
        return tokens.replaceIn(x.replace(/^(?:\d+[ydhms]){1,2}$/, '<age>').replace(/\((?:\d+[ydhms]){1,2} ago\)/g, '(<age> ago)'))
      return tokens.replaceIn(x)
    }
    if (typeof x === 'number' && (key === 'nodePort' || key === 'healthCheckNodePort') && x >= 30000 && x <= 32767)
      return tokens.keep.has(String(x)) ? x : tokens.number('nodePort', x)
    return x
  }
  return walk(v, '', [])
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern[0] === '**') {
    const rest = pattern.slice(1)
    return path.length >= rest.length && matches(rest, path.slice(path.length - rest.length))
  }
  return pattern.length === path.length && pattern.every((p, i) => p === '*' || p === path[i])
}

const withoutNumbers = (v: Json): string => JSON.stringify(v).replace(/<([a-zA-Z]+)-\d+>/g, '<$1>')
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** An event as two clusters must agree on it. */
export function eventFact(e: Json): Json {
  const o = e.involvedObject ?? e.regarding ?? {}
  return {
    type: e.type,
    reason: e.reason,
    object: `${o.kind}/${o.name}${o.fieldPath ? `#${o.fieldPath}` : ''}`,
    component: e.source?.component || e.reportingComponent || e.reportingController || '',
    message: e.message ?? e.note ?? '',
  }
}

/** Numbers of tokens follow the order of appearance. */
export function renumber(values: Json): Json {
  const seen = new Map<string, string>()
  const counts = new Map<string, number>()
  const text = JSON.stringify(values).replace(/<(uid|clusterIP|podIP|nodeIP|nodePort|gen|hash)-(\d+)>/g, (m: string, kind: string) => {
    let token = seen.get(m)
    if (!token) {
      const n = (counts.get(kind) ?? 0) + 1
      counts.set(kind, n)
      token = `<${kind}-${n}>`
      seen.set(m, token)
    }
    return token
  })
  return JSON.parse(text)
}

/** Paths at which two normalised values differ, as readable lines; empty when equal. */
export function differences(expected: Json, actual: Json, path = '', out: string[] = [], limit = 12): string[] {
  if (out.length >= limit) return out
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const n = Math.max(expected.length, actual.length)
    for (let i = 0; i < n; i++) differences(expected[i], actual[i], `${path}[${i}]`, out, limit)
  } else if (isObject(expected) && isObject(actual)) {
    for (const k of [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort())
      differences(expected[k], actual[k], path ? `${path}.${k}` : k, out, limit)
  } else if (expected !== actual) out.push(`${path || '(whole)'}: expected ${show(expected)}, got ${show(actual)}`)
  return out
}

const isObject = (v: Json): boolean => v !== null && typeof v === 'object' && !Array.isArray(v)
const show = (v: Json): string => {
  const s = v === undefined ? 'nothing' : JSON.stringify(v)
  return s.length > 300 ? `${s.slice(0, 300)}…` : s
}
