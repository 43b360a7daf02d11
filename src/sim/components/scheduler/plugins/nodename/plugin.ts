import { unresolvable } from '../../framework/status.ts'
import type { Plugin } from '../../framework/types.ts'

const NAME = 'NodeName'
const REJECTED = unresolvable(NAME, "node(s) didn't match the requested node name")

export const nodeName: Plugin = {
  name: NAME,
  filter(_, { pod }, node) {
    const wanted = pod.pod.spec?.nodeName
    return wanted && wanted !== node.name ? REJECTED : undefined
  },
}
