// Walking the containers of a pod spec in upstream's order (pkg/apis/core/pods/helpers.go).
import type { Container, EphemeralContainer, PodSpec } from '../../../../api/types/kubernetes.gen.ts'

export type AnyContainer = Container | EphemeralContainer

/** Init containers, containers, ephemeral containers, each with its field path below `specPath`. */
export function containersWithPath(spec: PodSpec, specPath: string): { container: AnyContainer; path: string }[] {
  const all: { container: AnyContainer; path: string }[] = []
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) all.push({ container, path: `${specPath}.${list}[${i}]` })
  }
  return all
}

export const allContainers = (spec: PodSpec): AnyContainer[] => containersWithPath(spec, 'spec').map((c) => c.container)

/** A sidecar: an init container that keeps running. */
export const isRestartableInitContainer = (container: { restartPolicy?: string } | undefined): boolean =>
  container?.restartPolicy === 'Always'
