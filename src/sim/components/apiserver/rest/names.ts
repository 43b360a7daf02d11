// Names for messages.
import { groupVersion } from '../../../api/meta.ts'
import type { GroupName } from '../../../api/status.ts'
import type { Served } from '../registry/index.ts'

/** For errors that name the resource: `deployments.apps`. */
export const resourceOf = (served: Served): GroupName => ({ group: served.strategy.group, name: served.strategy.resource })
/** For errors that name the kind: `Deployment.apps`. Custom objects are called what they call themselves. */
export const kindOf = (served: Served, object?: { kind?: string }): GroupName => ({
  group: served.strategy.group,
  name: (served.custom && object?.kind) || served.strategy.kind,
})
export const apiVersionOf = (served: Served): string => groupVersion(served.group, served.version)
export const storageVersionOf = (served: Served): string => groupVersion(served.strategy.group, served.strategy.version)
