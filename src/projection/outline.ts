// The picture as plain text: for export, search and readers.
import type { SceneElement } from './scene.ts'

export function outlineText(elements: readonly SceneElement[]): string {
  const inside = new Map<string, SceneElement[]>()
  for (const element of elements) {
    const parent = element.parent ?? ''
    const list = inside.get(parent)
    if (list) list.push(element)
    else inside.set(parent, [element])
  }
  const lines: string[] = []
  const visit = (parent: string, depth: number): void => {
    for (const e of inside.get(parent) ?? []) {
      const status = e.type === 'host' || e.type === 'pod' ? e.statusText : e.status
      lines.push(`${'  '.repeat(depth)}- ${e.name} (${e.type}): ${[status, ...e.lines].join(', ')}`)
      visit(e.id, depth + 1)
    }
  }
  visit('', 0)
  return lines.join('\n')
}
