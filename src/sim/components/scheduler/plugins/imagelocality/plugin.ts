import { MAX_NODE_SCORE } from '../../framework/names.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'

const NAME = 'ImageLocality'
const MIB = 1024 * 1024
const MIN_THRESHOLD = 23 * MIB
const MAX_CONTAINER_THRESHOLD = 1000 * MIB

interface Data {
  readonly max: number
  /** Per distinct use of an image: its name and its size, scaled by the share of nodes that have it. */
  readonly images: readonly { readonly name: string; readonly scaled: number }[]
}

export const imageLocality: Plugin = {
  name: NAME,
  // Upstream has no preScore here; what does not depend on the node is worked out once.
  preScore({ pod, snapshot }): Data | typeof SKIP {
    if (snapshot.images.size === 0) return SKIP
    const spec = pod.pod.spec
    const references = [
      ...(spec?.initContainers ?? []).map((c) => c.image ?? ''),
      ...(spec?.containers ?? []).map((c) => c.image ?? ''),
      ...(spec?.volumes ?? []).flatMap((v) => (v.image?.reference ? [v.image.reference] : [])),
    ]
    const images: { name: string; scaled: number }[] = []
    for (const reference of references) {
      const name = normalizedImageName(reference)
      const state = snapshot.images.get(name)
      if (state) images.push({ name, scaled: Math.trunc(state.size * (state.nodes / snapshot.size)) })
    }
    return images.length === 0 ? SKIP : { max: MAX_CONTAINER_THRESHOLD * references.length, images }
  },
  score({ max, images }: Data, _, node) {
    let sum = 0
    for (const image of images) if (node.facts.images.has(image.name)) sum += image.scaled
    const clamped = Math.min(Math.max(sum, MIN_THRESHOLD), max)
    return Math.floor((MAX_NODE_SCORE * (clamped - MIN_THRESHOLD)) / (max - MIN_THRESHOLD))
  },
}

/** Without a tag, `:latest`; registries and digests are not interpreted. */
export const normalizedImageName = (name: string): string => (name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name)
