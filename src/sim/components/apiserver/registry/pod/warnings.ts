// Warnings about pods and templates (pkg/api/pod/warnings.go, pkg/api/node/util.go).
import { isDNS1123Label } from '../../../../api/validation/names.ts'
import type {
  ContainerPort,
  NodeSelectorTerm,
  ObjectMeta,
  PodAffinity,
  PodAntiAffinity,
  PodSpec,
  Volume,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { appArmorPrefix, appArmorProfileOf, seccompContainerPrefix, seccompPodKey } from './annotations.ts'
import { at, has, keysOf } from './maps.ts'
import { overlappingPathWarnings } from './overlaps.ts'
import { isFractional, quantityString, type ResourceList } from './quantities.ts'
import { getWarningsForIP, isValidLabelValue, quote } from './rules.ts'
import { semanticEqual } from './equality.ts'
import { type AnyContainer, containersWithPath } from './visit.ts'

const deprecatedNodeLabels: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
  ['app.kubernetes.io/created-by', 'deprecated since v1.9'],
  ['scheduler.alpha.kubernetes.io/preferAvoidPods', 'deprecated since v1.22; use Taints and Tolerations instead'],
  ['node-role.kubernetes.io/master', 'use "node-role.kubernetes.io/control-plane" instead'],
])

const deprecatedAnnotations: readonly (readonly [key: string, message: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

/** In upstream's order; the path is the volume's. */
const deprecatedVolumes: readonly (readonly [source: keyof Volume, name: string, message: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
]
const laterDeprecatedVolumes: typeof deprecatedVolumes = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

export const deprecatedNodeLabelMessage = (key: string): string | undefined => deprecatedNodeLabels.get(key)

/** GetWarningsForNodeSelectorTerm; values are only checked where validation does not. */
export const nodeSelectorTermWarnings = (term: NodeSelectorTerm | undefined, checkValues: boolean, path: string): string[] =>
  (term?.matchExpressions ?? []).flatMap((e, i) => {
    const message = deprecatedNodeLabelMessage(e.key ?? '')
    const warnings = message ? [`${path}.matchExpressions[${i}].key: ${e.key} is ${message}`] : []
    if (!checkValues) return warnings
    const values = (e.values ?? []).flatMap((v, j) =>
      isValidLabelValue(v).map((m) => `${path}.matchExpressions[${i}].values[${j}]: ${v} is invalid, ${m}`),
    )
    return [...warnings, ...values]
  })

function placementWarnings(spec: PodSpec, path: string): string[] {
  const node = spec.affinity?.nodeAffinity
  const nodePath = `${path}.affinity.nodeAffinity`
  const warnings = keysOf(spec.nodeSelector).flatMap((key) => {
    const message = deprecatedNodeLabelMessage(key)
    return message ? [`${path}.nodeSelector[${key}]: ${message}`] : []
  })
  for (const [i, term] of (node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(
      ...nodeSelectorTermWarnings(term, false, `${nodePath}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`),
    )
  }
  for (const [i, term] of (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    warnings.push(
      ...nodeSelectorTermWarnings(term.preference, true, `${nodePath}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`),
    )
  }
  for (const [i, c] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = `${path}.topologySpreadConstraints[${i}]`
    const message = deprecatedNodeLabelMessage(c.topologyKey ?? '')
    if (message) warnings.push(`${at}.topologyKey: ${c.topologyKey} is ${message}`)
    if (!c.labelSelector) warnings.push(`${at}.labelSelector: a null labelSelector results in matching no pod`)
  }
  return warnings
}

/** Amounts of bytes are whole. */
function fractionWarning(list: ResourceList | undefined, name: string, path: string): string[] {
  const value = at(list, name)
  if (value === undefined || !isFractional(value)) return []
  return [`${path}[${name}]: fractional byte value ${quote(quantityString(value))} is invalid, must be an integer`]
}

function volumeWarnings(spec: PodSpec, path: string): string[] {
  return (spec.volumes ?? []).flatMap((v, i) => {
    const at = `${path}.volumes[${i}]`
    const deprecations = (list: typeof deprecatedVolumes): string[] =>
      list.filter(([source]) => v[source]).map(([, name, m]) => `${at}.${name}: ${m}`)
    const claim = v.ephemeral?.volumeClaimTemplate?.spec?.resources
    const claimPath = `${at}.ephemeral.volumeClaimTemplate.spec.resources`
    return [
      ...deprecations(deprecatedVolumes),
      ...fractionWarning(claim?.requests, 'storage', `${claimPath}.requests`),
      ...fractionWarning(claim?.limits, 'storage', `${claimPath}.limits`),
      ...deprecations(laterDeprecatedVolumes),
    ]
  })
}

function duplicates(items: readonly string[], describe: (i: number, item: string) => string): string[] {
  const seen = new Set<string>()
  return items.flatMap((item, i) => {
    if (seen.has(item)) return [describe(i, item)]
    seen.add(item)
    return []
  })
}

/** A later definition may build on an earlier one of the same name, but not silently replace it. */
function envWarnings(c: AnyContainer, path: string): string[] {
  const seen = new Set<string>()
  return (c.env ?? []).flatMap((env, i) => {
    const name = env.name ?? ''
    if (!seen.has(name)) {
      seen.add(name)
      return []
    }
    const ref = `$(${name})`
    const value = env.value ?? ''
    const builds = !env.valueFrom && value !== ref && value.includes(ref)
    return builds ? [] : [`${path}.env[${i}]: hides previous definition of ${quote(name)}, which may be dropped when using apply`]
  })
}

function containerWarnings(
  c: AnyContainer,
  path: string,
  spec: PodSpec,
  meta: ObjectMeta,
  annotationsPath: string,
  isTemplate: boolean,
): string[] {
  const warnings: string[] = []
  const name = c.name ?? ''
  const seccompKey = seccompContainerPrefix + name
  if (!c.securityContext?.seccompProfile && has(meta.annotations, seccompKey)) {
    warnings.push(`${annotationsPath}[${seccompKey}]: non-functional in v1.27+; use the "seccompProfile" field instead`)
  }
  const appArmorKey = appArmorPrefix + name
  if (isTemplate && !c.securityContext?.appArmorProfile && has(meta.annotations, appArmorKey)) {
    const pod = spec.securityContext?.appArmorProfile
    if (!pod || !semanticEqual(pod, appArmorProfileOf(at(meta.annotations, appArmorKey) ?? ''))) {
      warnings.push(`${annotationsPath}[${appArmorKey}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
    }
  }
  const { limits, requests } = c.resources ?? {}
  return [
    ...warnings,
    ...fractionWarning(limits, 'memory', `${path}.resources.limits`),
    ...fractionWarning(requests, 'memory', `${path}.resources.requests`),
    ...fractionWarning(limits, 'ephemeral-storage', `${path}.resources.limits`),
    ...fractionWarning(requests, 'ephemeral-storage', `${path}.resources.requests`),
    ...envWarnings(c, path),
  ]
}

interface PortAt {
  path: string
  port: ContainerPort
}

/** Go's %+v of a ContainerPort. */
const goPort = (p: ContainerPort): string =>
  `{Name:${p.name ?? ''} HostPort:${p.hostPort ?? 0} ContainerPort:${p.containerPort ?? 0} Protocol:${p.protocol ?? ''} HostIP:${p.hostIP ?? ''}}`

function portWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = []
  const ports: PortAt[] = containersWithPath(spec, path).flatMap(({ container, path: at }) =>
    (container.ports ?? []).map((port, i) => ({ path: `${at}.ports[${i}]`, port })),
  )
  const byPort = new Map<string, PortAt[]>()
  for (const here of ports) {
    const ip = here.port.hostIP ?? ''
    const hostPort = here.port.hostPort ?? 0
    if (ip !== '' && hostPort === 0) warnings.push(`${here.path}: hostIP set without hostPort: ${goPort(here.port)}`)
    const key = `${here.port.containerPort ?? 0}/${here.port.protocol ?? ''}`
    const others = byPort.get(key) ?? []
    for (const other of others) {
      const otherIp = other.port.hostIP ?? ''
      const otherHostPort = other.port.hostPort ?? 0
      if (ip === otherIp && hostPort === otherHostPort) warnings.push(`${here.path}: duplicate port definition with ${other.path}`)
      else if (hostPort === 0 || otherHostPort === 0) warnings.push(`${here.path}: overlapping port definition with ${other.path}`)
      else if (hostPort === otherHostPort && (ip === '') !== (otherIp === '')) {
        warnings.push(`${here.path}: dangerously ambiguous port definition with ${other.path}`)
      }
    }
    byPort.set(key, [...others, here])
  }
  const names = new Map<string, string>()
  for (const { path: at, port } of ports) {
    if (!port.name) continue
    const other = names.get(port.name)
    if (other === undefined) names.set(port.name, at)
    else
      warnings.push(
        `${at}: duplicate port name ${quote(port.name)} with ${other}, services and probes that select ports by name will use ${other}`,
      )
  }
  return warnings
}

function affinityWarnings(affinity: PodAffinity | PodAntiAffinity | undefined, path: string): string[] {
  const none = 'labelSelector: a null labelSelector results in matching no pod'
  return [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((t, i) =>
      t.labelSelector ? [] : [`${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}].${none}`],
    ),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((t, i) =>
      t.podAffinityTerm?.labelSelector ? [] : [`${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.${none}`],
    ),
  ]
}

/** warningsForPodSpecAndMeta; `root` is the template's path, or empty for a pod. */
export function podSpecWarnings(spec: PodSpec, meta: ObjectMeta, root: string): string[] {
  const prefix = root === '' ? '' : `${root}.`
  const path = `${prefix}spec`
  const annotationsPath = `${prefix}metadata.annotations`
  const grace = spec.terminationGracePeriodSeconds
  const hostAliases = spec.hostAliases ?? []
  const pullSecrets = (spec.imagePullSecrets ?? []).map((s) => s.name ?? '')
  return [
    ...placementWarnings(spec, path),
    ...deprecatedAnnotations
      .filter(([key]) => has(meta.annotations, key))
      .map(([key, message]) => `${annotationsPath}[${key}]: ${message}`),
    ...volumeWarnings(spec, path),
    ...overlappingPathWarnings(spec.volumes ?? []),
    ...duplicates(
      hostAliases.map((a) => a.ip ?? ''),
      (i, ip) => `${path}.hostAliases[${i}].ip: duplicate ip ${quote(ip)}`,
    ),
    ...duplicates(pullSecrets, (i, name) => `${path}.imagePullSecrets[${i}].name: duplicate name ${quote(name)}`),
    ...pullSecrets.flatMap((name, i) => (name === '' ? [`${path}.imagePullSecrets[${i}].name: invalid empty name ""`] : [])),
    ...fractionWarning(spec.overhead, 'memory', `${path}.overhead`),
    ...fractionWarning(spec.overhead, 'ephemeral-storage', `${path}.overhead`),
    ...(!spec.securityContext?.seccompProfile && has(meta.annotations, seccompPodKey)
      ? [`${annotationsPath}[${seccompPodKey}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...containersWithPath(spec, path).flatMap((c) => containerWarnings(c.container, c.path, spec, meta, annotationsPath, root !== '')),
    ...portWarnings(spec, path),
    ...(typeof grace === 'number' && grace < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec.affinity?.podAffinity, `${path}.affinity.podAffinity`),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, `${path}.affinity.podAntiAffinity`),
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((ns, i) => getWarningsForIP(`${path}.dnsConfig.nameservers[${i}]`, ns)),
    ...hostAliases.flatMap((a, i) => getWarningsForIP(`${path}.hostAliases[${i}].ip`, a.ip ?? '')),
  ]
}

/** WarningsOnCreate. */
export function podCreateWarnings(pod: KubeObject): string[] {
  const wrong = isDNS1123Label(pod.metadata.name ?? '')
  const hostname =
    wrong.length > 0
      ? [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(' ')}]`,
        ]
      : []
  return [...hostname, ...podSpecWarnings(pod['spec'] as PodSpec, pod.metadata, '')]
}
