// v1 defaults of pods and pod templates: pkg/apis/core/v1/defaults.go, zz_generated.defaults.go.
import type {
  Container,
  EphemeralContainer,
  PodSpec,
  PodStatus,
  PodTemplateSpec,
  Probe,
  Volume,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { completePod, completeTemplate } from './complete.ts'
import { canonicalPod, canonicalPodSpec, canonicalTemplate } from './canonical.ts'
import { defaultPullPolicy } from './image.ts'
import { at, has, keysOf, put } from './maps.ts'
import {
  aggregateContainerLimits,
  aggregateContainerRequests,
  isHugePageResourceName,
  isOvercommitAllowed,
  isSupportedPodLevelResource,
  roundUpToMilli,
  type ResourceList,
} from './quantities.ts'

const present = (v: unknown): boolean => v !== undefined && v !== null

/** SetDefaults_ResourceList: nothing is finer than a thousandth. */
function defaultResourceList(list: ResourceList | undefined): void {
  if (!list) return
  for (const key of keysOf(list)) put(list, key, roundUpToMilli(at(list, key) ?? '0'))
}

function defaultResources(resources: { limits?: ResourceList; requests?: ResourceList } | undefined): void {
  defaultResourceList(resources?.limits)
  defaultResourceList(resources?.requests)
}

function defaultFieldRef(ref: { apiVersion?: string } | undefined): void {
  if (ref && !ref.apiVersion) ref.apiVersion = 'v1'
}

/** The divisor is no pointer: zero is written too. */
function defaultResourceFieldRef(ref: { divisor?: string } | undefined): void {
  if (ref) ref.divisor ??= '0'
}

function defaultHttpGet(action: { path?: string; scheme?: string } | undefined): void {
  if (!action) return
  if (!action.path) action.path = '/'
  if (!action.scheme) action.scheme = 'HTTP'
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  defaultHttpGet(probe.httpGet)
  if (probe.grpc && !present(probe.grpc.service)) probe.grpc.service = ''
}

function defaultContainer(c: Container | EphemeralContainer): void {
  if (!c.imagePullPolicy) c.imagePullPolicy = defaultPullPolicy(c.image ?? '')
  if (!c.terminationMessagePath) c.terminationMessagePath = '/dev/termination-log'
  if (!c.terminationMessagePolicy) c.terminationMessagePolicy = 'File'
  if (!c.resources) c.resources = {}
  for (const port of c.ports ?? []) if (!port.protocol) port.protocol = 'TCP'
  for (const env of c.env ?? []) {
    defaultFieldRef(env.valueFrom?.fieldRef)
    defaultResourceFieldRef(env.valueFrom?.resourceFieldRef)
    const file = env.valueFrom?.fileKeyRef
    if (file && !present(file.optional)) file.optional = false
  }
  defaultResources(c.resources)
  defaultProbe(c.livenessProbe)
  defaultProbe(c.readinessProbe)
  defaultProbe(c.startupProbe)
  defaultHttpGet(c.lifecycle?.postStart?.httpGet)
  defaultHttpGet(c.lifecycle?.preStop?.httpGet)
}

const volumeSources = [
  'hostPath',
  'emptyDir',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'persistentVolumeClaim',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'downwardAPI',
  'fc',
  'azureFile',
  'configMap',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'projected',
  'portworxVolume',
  'scaleIO',
  'storageos',
  'csi',
  'ephemeral',
  'image',
] as const

function defaultVolume(v: Volume): void {
  if (!volumeSources.some((source) => present(v[source]))) v.emptyDir = {}
  if (v.image && !v.image.pullPolicy) v.image.pullPolicy = defaultPullPolicy(v.image.reference ?? '')
  if (v.hostPath && !present(v.hostPath.type)) v.hostPath.type = ''
  for (const source of [v.secret, v.configMap, v.downwardAPI, v.projected])
    if (source && !present(source.defaultMode)) source.defaultMode = 0o644
  for (const item of [...(v.downwardAPI?.items ?? []), ...(v.projected?.sources ?? []).flatMap((s) => s.downwardAPI?.items ?? [])]) {
    defaultFieldRef(item.fieldRef)
    defaultResourceFieldRef(item.resourceFieldRef)
  }
  if (v.iscsi && !v.iscsi.iscsiInterface) v.iscsi.iscsiInterface = 'default'
  if (v.rbd) {
    v.rbd.pool ||= 'rbd'
    v.rbd.user ||= 'admin'
    v.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (v.azureDisk) {
    v.azureDisk.cachingMode ??= 'ReadWrite'
    v.azureDisk.fsType ??= 'ext4'
    v.azureDisk.readOnly ??= false
    v.azureDisk.kind ??= 'Shared'
  }
  for (const source of v.projected?.sources ?? []) {
    const token = source.serviceAccountToken
    if (token && !present(token.expirationSeconds)) token.expirationSeconds = 3600
  }
  if (v.scaleIO) {
    v.scaleIO.storageMode ||= 'ThinProvisioned'
    v.scaleIO.fsType ||= 'xfs'
  }
  const template = v.ephemeral?.volumeClaimTemplate
  if (template) {
    // In Go the template always has a spec.
    template.spec ??= {}
    template.spec.volumeMode ??= 'Filesystem'
    defaultResources(template.spec.resources)
  }
}

/** What every PodSpec gets, also one inside a template. */
export function defaultPodSpec(spec: PodSpec): void {
  if (!spec.dnsPolicy) spec.dnsPolicy = 'ClusterFirst'
  if (!spec.restartPolicy) spec.restartPolicy = 'Always'
  if (!spec.securityContext) spec.securityContext = {}
  if (!present(spec.terminationGracePeriodSeconds)) spec.terminationGracePeriodSeconds = 30
  if (!spec.schedulerName) spec.schedulerName = 'default-scheduler'
  for (const v of spec.volumes ?? []) defaultVolume(v)
  for (const c of spec.initContainers ?? []) defaultContainer(c)
  for (const c of spec.containers ?? []) defaultContainer(c)
  for (const c of spec.ephemeralContainers ?? []) defaultContainer(c)
  defaultResourceList(spec.overhead)
  defaultResources(spec.resources)
  canonicalPodSpec(spec)
}

/** Defaults of a pod template: those of its spec, but none of those that only a pod gets (requests from limits, host ports, service links). */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  template.spec ??= { containers: [] }
  defaultPodSpec(template.spec)
  canonicalTemplate(template)
  completeTemplate(template)
}

/** Requests that are missing are taken from the limits. */
function defaultRequestsFromLimits(containers: Container[] | undefined): void {
  for (const c of containers ?? []) {
    const limits = c.resources?.limits
    if (!c.resources || !limits) continue
    const requests = c.resources.requests ?? {}
    for (const key of keysOf(limits)) if (!has(requests, key)) put(requests, key, at(limits, key) ?? '0')
    if (keysOf(requests).length > 0) c.resources.requests = requests
  }
}

/** Pod-level huge page limits follow the containers'. */
function defaultHugePagePodLimits(spec: PodSpec): void {
  const resources = spec.resources
  if (!resources || (keysOf(resources.limits).length === 0 && keysOf(resources.requests).length === 0)) return
  const limits = resources.limits ?? {}
  const aggregated = aggregateContainerLimits(spec)
  for (const key of keysOf(aggregated)) {
    if (!isSupportedPodLevelResource(key) || !isHugePageResourceName(key) || has(resources.requests, key) || has(limits, key)) continue
    put(limits, key, at(aggregated, key) ?? '0')
  }
  if (keysOf(limits).length > 0) resources.limits = limits
}

/** Pod-level requests: what the containers ask for, else the pod-level limits. */
function defaultPodRequests(spec: PodSpec): void {
  const resources = spec.resources
  if (!resources || keysOf(resources.limits).length === 0) return
  const requests = resources.requests ?? {}
  const aggregated = aggregateContainerRequests(spec)
  for (const key of keysOf(aggregated)) {
    if (!has(requests, key) && isSupportedPodLevelResource(key) && isOvercommitAllowed(key)) put(requests, key, at(aggregated, key) ?? '0')
  }
  for (const key of keysOf(resources.limits)) {
    if (!has(requests, key) && isSupportedPodLevelResource(key)) put(requests, key, at(resources.limits, key) ?? '0')
  }
  if (keysOf(requests).length > 0) resources.requests = requests
}

/** On the host's network every port is a host port. */
function defaultHostNetworkPorts(containers: Container[] | undefined): void {
  for (const c of containers ?? [])
    for (const port of c.ports ?? []) if (!port.hostPort && port.containerPort) port.hostPort = port.containerPort
}

function defaultPodStatus(status: PodStatus | undefined): void {
  if (!status) return
  for (const list of [status.initContainerStatuses, status.containerStatuses, status.ephemeralContainerStatuses]) {
    for (const c of list ?? []) {
      defaultResourceList(c.allocatedResources)
      defaultResources(c.resources)
    }
  }
  defaultResourceList(status.allocatedResources)
  defaultResources(status.resources)
}

/** KindStrategy.defaults of pods. */
export function defaultPod(draft: KubeObject): void {
  draft['spec'] ??= { containers: [] }
  const spec = draft['spec'] as PodSpec
  defaultRequestsFromLimits(spec.containers)
  defaultRequestsFromLimits(spec.initContainers)
  defaultHugePagePodLimits(spec)
  defaultPodRequests(spec)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) {
    defaultHostNetworkPorts(spec.containers)
    defaultHostNetworkPorts(spec.initContainers)
  }
  defaultPodSpec(spec)
  defaultPodStatus(draft['status'] as PodStatus | undefined)
  canonicalPod(draft)
  completePod(draft)
}
