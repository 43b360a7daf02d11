import { unresolvable } from '../../framework/status.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'

const NAME = 'NodeName'
const REJECTED = unresolvable(NAME, "node(s) didn't match the requested node name")

export const nodeName: Plugin = {
  name: NAME,
  local: true,
  // Upstream has no preFilter here; a pod that names no node need not be asked about each.
  preFilter: ({ pod }) => (pod.pod.spec?.nodeName ? { data: pod.pod.spec.nodeName } : SKIP),
  filter: (wanted: string, _, node) => (wanted === node.name ? undefined : REJECTED),
}
