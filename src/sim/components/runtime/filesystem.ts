// The files that a container sees: its own layer over the image's, with volumes mounted into it. Nodes are records of one table,
// keyed `layer|/path`; a layer is a container's writable layer, a volume, or a directory of the host.
import type { Table } from '../../engine/types.ts'

export type FileNode =
  | {
      readonly type: 'file'
      readonly content: string
      readonly mode: number
      readonly uid: number
      readonly gid: number
      readonly mtime: number
    }
  | { readonly type: 'dir'; readonly mode: number; readonly uid: number; readonly gid: number; readonly mtime: number }
  | { readonly type: 'link'; readonly target: string; readonly mtime: number }
  /** Hides a file of the image. */
  | { readonly type: 'gone' }

export interface Mount {
  /** Where in the container, absolute and without trailing slash. */
  readonly path: string
  readonly layer: string
  /** Path within the layer: '' or '/sub'. */
  readonly sub: string
  readonly readOnly: boolean
}

/** What an image brings: path → node. */
export type ImageFiles = ReadonlyMap<string, FileNode>

export type FileError = 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'EROFS' | 'EEXIST' | 'ENOTEMPTY' | 'ELOOP' | 'EACCES' | 'EBUSY'

export const FILE_ERRORS: Readonly<Record<FileError, string>> = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EROFS: 'Read-only file system',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Symbolic link loop',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
}

export class FileFailure extends Error {
  constructor(readonly code: FileError) {
    super(FILE_ERRORS[code])
  }
}

const MAX_LINKS = 20

export interface FileView {
  readonly files: Table<FileNode>
  readonly layer: string
  readonly image: ImageFiles
  readonly mounts: readonly Mount[]
  readonly readOnlyRoot: boolean
  readonly now: number
  /** Files that the kernel makes up (/proc). */
  readonly virtual?: (path: string) => FileNode | undefined
}

export const layerKey = (layer: string, path: string): string => `${layer}|${path}`

export function normalisePath(path: string, cwd = '/'): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}

export const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
export const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

interface Place {
  readonly layer: string
  readonly path: string
  readonly readOnly: boolean
  readonly root: boolean
  readonly mountPoint: boolean
}

function placeOf(view: FileView, path: string): Place {
  let best: Mount | undefined
  for (const mount of view.mounts)
    if ((path === mount.path || path.startsWith(`${mount.path}/`) || mount.path === '/') && (!best || mount.path.length > best.path.length))
      best = mount
  if (!best) return { layer: view.layer, path, readOnly: view.readOnlyRoot, root: true, mountPoint: false }
  const rest = best.path === '/' ? path : path.slice(best.path.length)
  return { layer: best.layer, path: `${best.sub}${rest}` || '/', readOnly: best.readOnly, root: false, mountPoint: rest === '' }
}

function nodeAt(view: FileView, path: string): FileNode | undefined {
  const made = view.virtual?.(path)
  if (made) return made
  const place = placeOf(view, path)
  const own = view.files.get(layerKey(place.layer, place.path))
  if (own) return own.type === 'gone' ? undefined : own
  if (place.path === '/' || (place.mountPoint && place.path === '')) return { type: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: 0 }
  return place.root ? view.image.get(path) : undefined
}

/** The path without symbolic links; the last part may be missing. */
export function realPath(view: FileView, path: string, followLast = true): string {
  let links = 0
  let todo = normalisePath(path).split('/').filter(Boolean)
  let done = ''
  while (todo.length > 0) {
    const [part, ...rest] = todo as [string, ...string[]]
    const next = `${done}/${part}`
    const node = nodeAt(view, next)
    if (node?.type === 'link' && (rest.length > 0 || followLast)) {
      if (++links > MAX_LINKS) throw new FileFailure('ELOOP')
      const target = node.target.startsWith('/') ? normalisePath(node.target) : normalisePath(`${done}/${node.target}`)
      todo = [...target.split('/').filter(Boolean), ...rest]
      done = ''
      continue
    }
    if (rest.length > 0) {
      if (!node) throw new FileFailure('ENOENT')
      if (node.type === 'file') throw new FileFailure('ENOTDIR')
    }
    done = next
    todo = rest
  }
  return done === '' ? '/' : done
}

export function lookup(view: FileView, path: string, followLast = true): FileNode | undefined {
  try {
    return nodeAt(view, realPath(view, path, followLast))
  } catch {
    return undefined
  }
}

export function readFile(view: FileView, path: string): string {
  const node = nodeAt(view, realPath(view, path))
  if (!node || node.type === 'gone') throw new FileFailure('ENOENT')
  if (node.type === 'dir') throw new FileFailure('EISDIR')
  if (node.type === 'link') throw new FileFailure('ELOOP')
  return node.content
}

function store(view: FileView, real: string, node: FileNode): void {
  const place = placeOf(view, real)
  if (place.readOnly) throw new FileFailure('EROFS')
  view.files.put(layerKey(place.layer, place.path), node)
}

function requireParent(view: FileView, real: string): void {
  const parent = nodeAt(view, parentOf(real))
  if (!parent) throw new FileFailure('ENOENT')
  if (parent.type !== 'dir') throw new FileFailure('ENOTDIR')
}

export function writeFile(
  view: FileView,
  path: string,
  content: string,
  options: { append?: boolean; uid?: number; gid?: number; mode?: number } = {},
): void {
  const real = realPath(view, path)
  const old = nodeAt(view, real)
  if (old?.type === 'dir') throw new FileFailure('EISDIR')
  if (!old) requireParent(view, real)
  const before = old?.type === 'file' ? old : undefined
  store(view, real, {
    type: 'file',
    content: options.append && before ? before.content + content : content,
    mode: options.mode ?? before?.mode ?? 0o644,
    uid: before?.uid ?? options.uid ?? 0,
    gid: before?.gid ?? options.gid ?? 0,
    mtime: view.now,
  })
}

export function makeDirectory(
  view: FileView,
  path: string,
  options: { parents?: boolean; mode?: number; uid?: number; gid?: number } = {},
): void {
  if (options.parents) {
    let done = ''
    for (const part of normalisePath(path).split('/').filter(Boolean)) {
      done += `/${part}`
      const node = lookup(view, done)
      if (node?.type === 'dir') continue
      if (node) throw new FileFailure('EEXIST')
      makeDirectory(view, done, { ...options, parents: false })
    }
    return
  }
  const real = realPath(view, path)
  if (nodeAt(view, real)) throw new FileFailure('EEXIST')
  requireParent(view, real)
  store(view, real, { type: 'dir', mode: options.mode ?? 0o755, uid: options.uid ?? 0, gid: options.gid ?? 0, mtime: view.now })
}

export function makeLink(view: FileView, target: string, path: string): void {
  const real = realPath(view, path, false)
  if (nodeAt(view, real)) throw new FileFailure('EEXIST')
  requireParent(view, real)
  store(view, real, { type: 'link', target, mtime: view.now })
}

export function changeNode(view: FileView, path: string, change: { mode?: number; uid?: number; gid?: number; mtime?: number }): void {
  const real = realPath(view, path)
  const node = nodeAt(view, real)
  if (!node || node.type === 'gone') throw new FileFailure('ENOENT')
  if (node.type !== 'link') store(view, real, { ...node, ...change })
}

/** Names in a directory, sorted. */
export function listDirectory(view: FileView, path: string): string[] {
  const real = realPath(view, path)
  const node = nodeAt(view, real)
  if (!node || node.type === 'gone') throw new FileFailure('ENOENT')
  if (node.type !== 'dir') throw new FileFailure('ENOTDIR')
  const names = new Set<string>()
  const place = placeOf(view, real)
  const prefix = layerKey(place.layer, place.path === '/' ? '/' : `${place.path}/`)
  const gone = new Set<string>()
  for (const key of view.files.keysWithPrefix(prefix)) {
    const rest = key.slice(prefix.length)
    if (rest === '' || rest.includes('/')) continue
    if (view.files.get(key)?.type === 'gone') gone.add(rest)
    else names.add(rest)
  }
  const inside = real === '/' ? '/' : `${real}/`
  if (place.root)
    for (const key of view.image.keys())
      if (key.startsWith(inside) && key !== inside && !key.slice(inside.length).includes('/') && !gone.has(key.slice(inside.length)))
        names.add(key.slice(inside.length))
  for (const mount of view.mounts)
    if (mount.path.startsWith(inside) && mount.path !== '/' && !mount.path.slice(inside.length).includes('/'))
      names.add(mount.path.slice(inside.length))
  return [...names].sort()
}

export function removeNode(view: FileView, path: string, options: { recursive?: boolean; directory?: boolean } = {}): void {
  const real = realPath(view, path, false)
  const node = nodeAt(view, real)
  if (!node || node.type === 'gone') throw new FileFailure('ENOENT')
  if (view.mounts.some((mount) => mount.path === real)) throw new FileFailure('EBUSY')
  if (node.type === 'dir') {
    if (!options.recursive && !options.directory) throw new FileFailure('EISDIR')
    const inside = listDirectory(view, real)
    if (!options.recursive && inside.length > 0) throw new FileFailure('ENOTEMPTY')
    for (const name of inside) removeNode(view, `${real === '/' ? '' : real}/${name}`, options)
  }
  const place = placeOf(view, real)
  if (place.readOnly) throw new FileFailure('EROFS')
  const key = layerKey(place.layer, place.path)
  if (place.root && view.image.has(real)) view.files.put(key, { type: 'gone' })
  else view.files.delete(key)
}

export function removeLayer(files: Table<FileNode>, layer: string): void {
  for (const key of files.keysWithPrefix(`${layer}|`)) files.delete(key)
}
