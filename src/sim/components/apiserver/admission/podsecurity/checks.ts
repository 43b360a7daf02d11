// The Pod Security Standards, one function per check: k8s.io/pod-security-admission/policy. Newest version of every check.
import { sortedKeys, sortStrings } from '../../../../../lib/compare.ts'

type Data = any

export interface Violation {
  readonly reason: string
  readonly detail: string
}

export type Check = (spec: Data, annotations: Readonly<Record<string, string>>) => Violation | undefined

const q = (text: string): string => JSON.stringify(text)
const quoteAll = (list: Iterable<string>): string => [...list].map(q).join(', ')
const plural = (one: string, many: string, n: number): string => (n === 1 ? one : many)
const containersText = (names: readonly string[]): string => `${plural('container', 'containers', names.length)} ${quoteAll(names)}`
const visit = (spec: Data): Data[] => [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
const named = (spec: Data, bad: (c: Data) => boolean): string[] =>
  visit(spec)
    .filter(bad)
    .map((c) => c.name)
const isWindows = (spec: Data): boolean => spec.os?.name === 'windows'
const ownUsers = (spec: Data): boolean => spec.hostUsers === false

const appArmorProfile: Check = (spec, annotations) => {
  const bad: string[] = []
  const forbidden = (type: string | undefined): boolean => type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost'
  const podType = spec.securityContext?.appArmorProfile?.type
  if (forbidden(podType)) bad.push(`pod must not set AppArmor profile type to ${q(podType)}`)
  for (const c of visit(spec)) {
    const type = c.securityContext?.appArmorProfile?.type
    if (forbidden(type)) bad.push(`${containersText([c.name])} must not set AppArmor profile type to ${q(type)}`)
  }
  const prefix = 'container.apparmor.security.beta.kubernetes.io/'
  const wrong = sortedKeys(annotations).filter(
    (k) =>
      k.startsWith(prefix) &&
      !['', 'runtime/default'].includes(annotations[k] as string) &&
      !(annotations[k] as string).startsWith('localhost/'),
  )
  if (wrong.length > 0)
    bad.push(
      `${plural('annotation', 'annotations', wrong.length)} ${wrong.map((k) => `${q(k)}=${q(annotations[k] as string)}`).join(', ')}`,
    )
  if (bad.length === 0) return undefined
  return { reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', bad.length), detail: bad.join(', ') }
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const capabilitiesBaseline: Check = (spec) => {
  const bad: string[] = []
  const added = new Set<string>()
  for (const c of visit(spec)) {
    const extra = ((c.securityContext?.capabilities?.add ?? []) as string[]).filter((x) => !DEFAULT_CAPABILITIES.has(x))
    if (extra.length === 0) continue
    bad.push(c.name)
    for (const x of extra) added.add(x)
  }
  if (bad.length === 0) return undefined
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(bad)} must not include ${quoteAll(sortStrings(added))} in securityContext.capabilities.add`,
  }
}

const hostNamespaces: Check = (spec) => {
  const used = ['hostNetwork', 'hostPID', 'hostIPC'].filter((k) => spec[k] === true)
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.map((k) => `${k}=true`).join(', ') }
}

const hostPathVolumes: Check = (spec) => {
  const names = ((spec.volumes ?? []) as Data[]).filter((v) => v.hostPath).map((v) => v.name)
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', names.length)} ${quoteAll(names)}` }
}

const hostPorts: Check = (spec) => {
  const ports = new Set<string>()
  const bad = named(spec, (c) => {
    const used = ((c.ports ?? []) as Data[]).filter((p) => (p.hostPort ?? 0) !== 0)
    for (const p of used) ports.add(String(p.hostPort))
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  return {
    reason: 'hostPort',
    detail: `${containersText(bad)} ${plural('uses', 'use', bad.length)} ${plural('hostPort', 'hostPorts', ports.size)} ${sortStrings(ports).join(', ')}`,
  }
}

const hostProbes: Check = (spec) => {
  const hosts = new Set<string>()
  const bad = named(spec, (c) => {
    const handlers = [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop]
    const used = handlers.flatMap((h: Data) => [h?.httpGet?.host, h?.tcpSocket?.host]).filter((h) => Boolean(h)) as string[]
    for (const h of used) hosts.add(h)
    return used.length > 0
  })
  if (bad.length === 0) return undefined
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(bad)} ${plural('uses', 'use', bad.length)} probe or lifecycle ${plural('host', 'hosts', hosts.size)} ${quoteAll(sortStrings(hosts))}`,
  }
}

const privileged: Check = (spec) => {
  const bad = named(spec, (c) => c.securityContext?.privileged === true)
  return bad.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${containersText(bad)} must not set securityContext.privileged=true` }
}

const procMount: Check = (spec) => {
  if (ownUsers(spec)) return undefined
  const values = new Set<string>()
  const bad = named(spec, (c) => {
    const value = c.securityContext?.procMount
    if (!value || value === 'Default') return false
    values.add(value)
    return true
  })
  return bad.length === 0
    ? undefined
    : { reason: 'procMount', detail: `${containersText(bad)} must not set securityContext.procMount to ${quoteAll(sortStrings(values))}` }
}

/** Who set something wrong: the pod, containers, or both. */
const setters = (pod: boolean, containers: readonly string[]): string[] => [
  ...(pod ? ['pod'] : []),
  ...(containers.length > 0 ? [containersText(containers)] : []),
]

const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])

const seLinuxOptions: Check = (spec) => {
  const types = new Set<string>()
  let user = false
  let role = false
  const wrong = (o: Data): boolean => {
    if (!o) return false
    let bad = false
    if (!SELINUX_TYPES.has(o.type ?? '')) {
      types.add(o.type)
      bad = true
    }
    if (o.user) {
      user = true
      bad = true
    }
    if (o.role) {
      role = true
      bad = true
    }
    return bad
  }
  const pod = wrong(spec.securityContext?.seLinuxOptions)
  const bad = setters(
    pod,
    named(spec, (c) => wrong(c.securityContext?.seLinuxOptions)),
  )
  if (bad.length === 0) return undefined
  const data = [
    ...(types.size > 0 ? [`${plural('type', 'types', types.size)} ${quoteAll(sortStrings(types))}`] : []),
    ...(user ? ['user may not be set'] : []),
    ...(role ? ['role may not be set'] : []),
  ]
  return { reason: 'seLinuxOptions', detail: `${bad.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` }
}

const seccompBaseline: Check = (spec) => {
  const unconfined = (o: Data): boolean => o?.seccompProfile?.type === 'Unconfined'
  const bad = setters(
    unconfined(spec.securityContext),
    named(spec, (c) => unconfined(c.securityContext)),
  )
  return bad.length === 0
    ? undefined
    : { reason: 'seccompProfile', detail: `${bad.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"` }
}

const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

const sysctls: Check = (spec) => {
  const bad = ((spec.securityContext?.sysctls ?? []) as Data[]).map((s) => s.name as string).filter((n) => !SAFE_SYSCTLS.has(n))
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
}

const windowsHostProcess: Check = (spec) => {
  const hosts = (o: Data): boolean => o?.windowsOptions?.hostProcess === true
  const bad = setters(
    hosts(spec.securityContext),
    named(spec, (c) => hosts(c.securityContext)),
  )
  return bad.length === 0
    ? undefined
    : { reason: 'hostProcess', detail: `${bad.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true` }
}

const allowPrivilegeEscalation: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const bad = named(spec, (c) => c.securityContext?.allowPrivilegeEscalation !== false)
  return bad.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${containersText(bad)} must set securityContext.allowPrivilegeEscalation=false`,
      }
}

const capabilitiesRestricted: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const keeps = named(spec, (c) => !((c.securityContext?.capabilities?.drop ?? []) as string[]).includes('ALL'))
  const added = new Set<string>()
  const adds = named(spec, (c) => {
    const extra = ((c.securityContext?.capabilities?.add ?? []) as string[]).filter((x) => x !== 'NET_BIND_SERVICE')
    for (const x of extra) added.add(x)
    return extra.length > 0
  })
  const details = [
    ...(keeps.length > 0 ? [`${containersText(keeps)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adds.length > 0
      ? [`${containersText(adds)} must not include ${quoteAll(sortStrings(added))} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const ALLOWED_VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const restrictedVolumes: Check = (spec) => {
  const names: string[] = []
  const types = new Set<string>()
  for (const v of (spec.volumes ?? []) as Data[]) {
    const type = Object.keys(v).find((k) => k !== 'name')
    if (type === undefined || ALLOWED_VOLUMES.has(type)) continue
    names.push(v.name)
    types.add(type)
  }
  if (names.length === 0) return undefined
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', 'volumes', names.length)} ${quoteAll(names)} ${plural('uses', 'use', names.length)} ${plural('restricted volume type', 'restricted volume types', types.size)} ${quoteAll(sortStrings(types))}`,
  }
}

const runAsNonRoot: Check = (spec) => {
  if (ownUsers(spec)) return undefined
  const pod = spec.securityContext?.runAsNonRoot
  const explicit = named(spec, (c) => c.securityContext?.runAsNonRoot === false)
  const bad = setters(pod === false, explicit)
  if (bad.length > 0)
    return { reason: 'runAsNonRoot != true', detail: `${bad.join(' and ')} must not set securityContext.runAsNonRoot=false` }
  const implicit = pod === true ? [] : named(spec, (c) => c.securityContext?.runAsNonRoot === undefined)
  return implicit.length === 0
    ? undefined
    : { reason: 'runAsNonRoot != true', detail: `pod or ${containersText(implicit)} must set securityContext.runAsNonRoot=true` }
}

const runAsUser: Check = (spec) => {
  if (ownUsers(spec)) return undefined
  const bad = setters(
    spec.securityContext?.runAsUser === 0,
    named(spec, (c) => c.securityContext?.runAsUser === 0),
  )
  return bad.length === 0 ? undefined : { reason: 'runAsUser=0', detail: `${bad.join(' and ')} must not set runAsUser=0` }
}

const seccompRestricted: Check = (spec) => {
  if (isWindows(spec)) return undefined
  const values = new Set<string>()
  const valid = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'
  const podType = spec.securityContext?.seccompProfile?.type
  const podBad = podType !== undefined && !valid(podType)
  if (podBad) values.add(podType)
  const explicit = named(spec, (c) => {
    const type = c.securityContext?.seccompProfile?.type
    if (type === undefined || valid(type)) return false
    values.add(type)
    return true
  })
  const bad = setters(podBad, explicit)
  if (bad.length > 0)
    return {
      reason: 'seccompProfile',
      detail: `${bad.join(' and ')} must not set securityContext.seccompProfile.type to ${quoteAll(sortStrings(values))}`,
    }
  const implicit = podType !== undefined ? [] : named(spec, (c) => c.securityContext?.seccompProfile?.type === undefined)
  return implicit.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${containersText(implicit)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
}

/** By check id; what restricted overrides is marked. */
const BASELINE: readonly (readonly [check: Check, overridden: boolean])[] = [
  [appArmorProfile, false],
  [capabilitiesBaseline, true],
  [hostNamespaces, false],
  [hostPathVolumes, true],
  [hostPorts, false],
  [hostProbes, false],
  [privileged, false],
  [procMount, false],
  [seLinuxOptions, false],
  [seccompBaseline, true],
  [sysctls, false],
  [windowsHostProcess, false],
]
const RESTRICTED: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
]

export type Level = 'privileged' | 'baseline' | 'restricted'

export function evaluate(level: Level, spec: Data, annotations: Readonly<Record<string, string>>): Violation[] {
  if (level === 'privileged') return []
  const checks =
    level === 'baseline'
      ? BASELINE.map(([check]) => check)
      : [...BASELINE.filter(([, overridden]) => !overridden).map(([check]) => check), ...RESTRICTED]
  return checks.map((check) => check(spec, annotations)).filter((v) => v !== undefined)
}

/** ForbiddenDetail: `privileged (container "c" must not set …), hostPort (…)`. */
export const detailText = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
