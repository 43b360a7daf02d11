// Table columns and cells that several kinds share (pkg/printers/internalversion/printers.go).
import type { Column } from '../strategy.ts'

export { translateTimestampSince } from '../../../../api/time.ts'

export const column = (name: string, type: Column['type'], description: string, priority = 0): Column => ({
  name,
  type,
  description,
  priority,
})

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
}

export const ageColumn: Column = column(
  'Age',
  'string',
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
)

export const containersColumn: Column = column('Containers', 'string', 'Names of each container in the template.', 1)
export const imagesColumn: Column = column('Images', 'string', 'Images referenced by each container in the template.', 1)

interface WithContainers {
  spec?: { containers?: readonly { name: string; image?: string }[] }
}

/** Names and images of a template's containers. */
export function containerCells(template: WithContainers | undefined): [string, string] {
  const containers = template?.spec?.containers ?? []
  return [containers.map((c) => c.name).join(','), containers.map((c) => c.image ?? '').join(',')]
}
