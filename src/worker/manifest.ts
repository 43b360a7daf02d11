// A manifest as text → documents with positions. Splits and locates with the yaml package; what scalars mean is decided by the same
// code that reads request bodies, so the editor and the API server never disagree.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { JsonNumber, JsonObject, type JsonTree } from '../sim/api/json-text.ts'
import { parseYamlText } from '../sim/api/yaml-text.ts'
import { isRecord, setOwn } from '../lib/own.ts'
import type { KubeObject } from '../sim/api/types/object.ts'
import type { Marker } from '../protocol/messages.ts'

/** etcd's and the API server's limit for one request. */
export const MAX_MANIFEST_BYTES = 1.5 * 1024 * 1024
/** Deeper nesting is no manifest; it is refused before anything walks it. */
const MAX_INDENT_DEPTH = 200

export interface ManifestDocument {
  readonly index: number
  readonly object: KubeObject
  /** Place of a field path such as `spec.containers[0].image`; the nearest enclosing place if the field is not written. */
  locate(path: string): Marker
}

export interface ManifestError {
  readonly index: number
  readonly message: string
  readonly marker: Marker
}

export interface Manifest {
  readonly documents: readonly ManifestDocument[]
  readonly errors: readonly ManifestError[]
}

export function readManifest(text: string): Manifest {
  if (new TextEncoder().encode(text).length > MAX_MANIFEST_BYTES)
    return {
      documents: [],
      errors: [
        {
          index: 0,
          message: 'Request entity too large: limit is 3145728; this manifest is larger than etcd accepts (1.5 MiB)',
          marker: lineMarker(1, ''),
        },
      ],
    }
  if (tooDeep(text))
    return {
      documents: [],
      errors: [{ index: 0, message: `The manifest is nested more than ${MAX_INDENT_DEPTH} levels deep.`, marker: lineMarker(1, '') }],
    }
  const counter = new LineCounter()
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    schema: 'failsafe',
    uniqueKeys: false,
    logLevel: 'silent',
    lineCounter: counter,
    keepSourceTokens: false,
  })
  const list = Array.isArray(parsed) ? parsed : []
  const documents: ManifestDocument[] = []
  const errors: ManifestError[] = []
  const lines = text.split('\n')
  list.forEach((document, index) => {
    const error = document.errors[0]
    if (error) {
      const { line } = counter.linePos(error.pos[0])
      errors.push({
        index,
        message: `error parsing: ${error.message.split('\n')[0]}`,
        marker: { ...lineMarker(line, lines[line - 1] ?? ''), message: error.message.split('\n')[0] ?? '' },
      })
      return
    }
    const root = document.contents as Node | null
    if (root === null || (isScalar(root) && (root.value === null || root.value === ''))) return
    const start = document.range?.[0] ?? 0
    const slice = text.slice(start, document.range?.[1] ?? text.length)
    const tree = parseYamlText(slice)
    const from = counter.linePos(root.range?.[0] ?? start).line
    if (tree.value === undefined) {
      errors.push({ index, message: tree.error, marker: { ...lineMarker(from, lines[from - 1] ?? ''), message: tree.error } })
      return
    }
    const value = toPlain(tree.value.tree)
    const locate = (path: string): Marker => {
      const node = find(root, path)
      const offset = node?.range?.[0] ?? root.range?.[0] ?? start
      const begin = counter.linePos(offset)
      const lineText = lines[begin.line - 1] ?? ''
      return {
        line: begin.line,
        column: begin.col,
        endLine: begin.line,
        endColumn: Math.max(begin.col + 1, lineText.trimEnd().length + 1),
        message: '',
      }
    }
    const problem = !isRecord(value)
      ? 'error: a manifest must be a mapping with apiVersion and kind'
      : typeof value.apiVersion !== 'string' || value.apiVersion === ''
        ? 'error validating data: apiVersion not set'
        : typeof value.kind !== 'string' || value.kind === ''
          ? 'error validating data: kind not set'
          : undefined
    if (problem) {
      errors.push({ index, message: problem, marker: { ...lineMarker(from, lines[from - 1] ?? ''), message: problem } })
      return
    }
    const object = value as unknown as KubeObject
    documents.push({ index, object: isRecord(object.metadata) ? object : { ...object, metadata: {} }, locate })
  })
  return { documents, errors }
}

function lineMarker(line: number, text: string): Marker {
  return {
    line,
    column: Math.max(1, text.length - text.trimStart().length + 1),
    endLine: line,
    endColumn: Math.max(2, text.trimEnd().length + 1),
    message: '',
  }
}

/** Counts nesting without parsing: flow brackets, and indentation of block style. */
function tooDeep(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 91 || c === 123) {
      if (++depth > MAX_INDENT_DEPTH) return true
    } else if (c === 93 || c === 125) depth = Math.max(0, depth - 1)
  }
  let indents = 0
  let last = -1
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const dashes = /^(?:\s*-\s+)*/.exec(line)?.[0].match(/-/g)?.length ?? 0
    const indent = line.length - line.trimStart().length
    indents = indent > last ? indents + 1 : indent === 0 ? 0 : indents
    last = indent
    if (indents + dashes > MAX_INDENT_DEPTH) return true
  }
  return false
}

/** Numbers become numbers, keys own properties whatever they are called; of a repeated key the last counts. */
export function toPlain(tree: JsonTree): unknown {
  if (tree instanceof JsonNumber) return Number(tree.text)
  if (tree instanceof JsonObject) {
    const out: Record<string, unknown> = {}
    for (const [key, value] of tree.entries) setOwn(out, key, toPlain(value))
    return out
  }
  if (Array.isArray(tree)) return (tree as readonly JsonTree[]).map(toPlain)
  return tree
}

/** `a.b[0].c[key]` → keys and indexes. */
export function pathParts(path: string): (string | number)[] {
  const parts: (string | number)[] = []
  for (const match of path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)) {
    if (match[2] !== undefined) parts.push(match[2])
    else parts.push(/^\d+$/.test(match[1] ?? '') ? Number(match[1]) : (match[1] ?? ''))
  }
  return parts
}

function find(root: Node, path: string): Node | undefined {
  let node: Node | undefined = root
  let best: Node | undefined = root
  for (const part of pathParts(path)) {
    if (isMap(node)) {
      const pair: { key: unknown; value: unknown } | undefined = node.items.find(
        (p) => isScalar(p.key) && String(p.key.value) === String(part),
      )
      // The key is the better place: values may be empty.
      if (!pair) return best
      best = pair.key as Node
      node = (pair.value as Node | null) ?? undefined
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part] as Node | undefined
      if (!item) return best
      best = item
      node = item
    } else return best
  }
  return best
}

/** Field paths that a message of the API server names: causes of a Status, or the text of a decoding error. */
export function pathsIn(status: KubeObject | undefined, text: string): { path: string; message: string }[] {
  const causes = (status?.details?.causes ?? []) as { field?: string; message?: string }[]
  if (causes.length > 0) return causes.map((c) => ({ path: c.field ?? '', message: `${c.field ? `${c.field}: ` : ''}${c.message ?? ''}` }))
  const unknown = [...text.matchAll(/(?:unknown|duplicate) field "([^"]+)"/g)].map((m) => ({ path: m[1] ?? '', message: m[0] }))
  if (unknown.length > 0) return unknown
  const go = /Go struct field \w+\.([\w.]+) of type/.exec(text)
  return go ? [{ path: go[1] ?? '', message: text }] : []
}
