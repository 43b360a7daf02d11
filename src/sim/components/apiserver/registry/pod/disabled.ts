// Fields that v1.35's default feature gates switch off are dropped, unless the old object has them already (pkg/api/pod/util.go).
import type { PodSpec, PodStatus, PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import { allContainers } from './visit.ts'

const projections = (spec: PodSpec | undefined) => (spec?.volumes ?? []).flatMap((v) => v.projected?.sources ?? [])

/** ContainerStopSignals is off; a lifecycle that held nothing else goes too. */
function dropStopSignals(spec: PodSpec, old: PodSpec | undefined): void {
  if (old && allContainers(old).some((c) => c.lifecycle?.stopSignal !== undefined)) return
  for (const c of allContainers(spec)) {
    if (c.lifecycle?.stopSignal === undefined) continue
    delete c.lifecycle.stopSignal
    if (!c.lifecycle.preStop && !c.lifecycle.postStart) delete c.lifecycle
  }
}

export function dropDisabledSpecFields(spec: PodSpec, old?: PodSpec): void {
  for (const name of ['clusterTrustBundle', 'podCertificate'] as const) {
    if (projections(old).some((s) => s[name])) continue
    for (const source of projections(spec)) delete source[name]
  }
  if (!(old as { workloadRef?: unknown } | undefined)?.workloadRef) delete (spec as { workloadRef?: unknown }).workloadRef
  dropStopSignals(spec, old)
}

export function dropDisabledTemplateFields(template: PodTemplateSpec | undefined, old?: PodTemplateSpec): void {
  if (template?.spec) dropDisabledSpecFields(template.spec, old?.spec)
}

export function dropDisabledStatusFields(status: PodStatus, old?: PodStatus): void {
  if (!old?.resources && !old?.allocatedResources) {
    delete status.resources
    delete status.allocatedResources
  }
  if (!old?.extendedResourceClaimStatus) delete status.extendedResourceClaimStatus
  for (const list of [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses]) {
    for (const c of list ?? []) delete c.allocatedResourcesStatus
  }
}
