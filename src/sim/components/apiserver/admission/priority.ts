// Priority: plugin/pkg/admission/priority. A pod's priority is that of its class.
import type { KubeObject } from '../../../api/types/object.ts'
import type { ServerView } from '../rest/request.ts'
import { deny, isKind, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const CLASSES = 'priorityclasses.scheduling.k8s.io'

/** If several claim to be the default, the lowest wins. */
function defaultClass(view: ServerView): KubeObject | undefined {
  let found: KubeObject | undefined
  for (const c of view.list(CLASSES)) if (c.globalDefault === true && (!found || c.value < found.value)) found = c
  return found
}

function admitNew(a: Attributes, pod: KubeObject): string | undefined {
  const { spec } = pod
  const { view } = a.rq
  let priority = 0
  let policy: string | undefined = 'PreemptLowerPriority'
  if (!spec.priorityClassName) {
    const fallback = defaultClass(view)
    if (fallback) {
      spec.priorityClassName = fallback.metadata.name
      priority = fallback.value ?? 0
      policy = fallback.preemptionPolicy
    }
  } else {
    const found = view.get(CLASSES, undefined, spec.priorityClassName)
    if (!found) return deny(a, `no PriorityClass with name ${spec.priorityClassName} was found`)
    priority = found.value ?? 0
    policy = found.preemptionPolicy
  }
  if (spec.priority !== undefined && spec.priority !== priority) {
    deny(
      a,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    )
  }
  spec.priority = priority
  if (policy !== undefined) {
    if (spec.preemptionPolicy && spec.preemptionPolicy !== policy) {
      deny(
        a,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      )
    }
    spec.preemptionPolicy = policy
  }
  return `priority ${priority}${spec.priorityClassName ? ` of ${spec.priorityClassName}` : ''}`
}

export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: (a) =>
    a.subresource === '' &&
    (a.operation === 'CREATE' || a.operation === 'UPDATE') &&
    (isPod(a) || isKind(a, 'scheduling.k8s.io', 'priorityclasses')),
  admit(a) {
    const object = a.object as KubeObject
    if (!isPod(a)) return undefined
    if (a.operation === 'CREATE') return admitNew(a, object)
    const { spec } = object
    const old = (a.old as KubeObject).spec
    if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority
    if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined) spec.preemptionPolicy = old.preemptionPolicy
    return undefined
  },
  validate(a) {
    const object = a.object as KubeObject
    if (isPod(a) || object.globalDefault !== true) return
    const fallback = defaultClass(a.rq.view)
    if (fallback && (a.operation === 'CREATE' || fallback.metadata.name !== object.metadata.name)) {
      deny(a, `PriorityClass ${fallback.metadata.name} is already marked as default. Only one default can exist`)
    }
  },
}
