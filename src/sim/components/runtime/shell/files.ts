// Tools that look at directory trees: ls, stat, find, and copying.
import { EPOCH_MS } from '../../../engine/types.ts'
import {
  FILE_ERRORS,
  FileFailure,
  type FileNode,
  type FileView,
  listDirectory,
  lookup,
  makeDirectory,
  makeLink,
  normalisePath,
  writeFile,
} from '../filesystem.ts'
import { type Machine, type Outcome, type Running, write } from './machine.ts'
import { globSource } from './pattern.ts'
import { formatDate } from './text.ts'

const isDirectory = (node: FileNode | undefined): boolean => node?.type === 'dir'

export function modeText(node: FileNode): string {
  if (node.type === 'link') return 'lrwxrwxrwx'
  if (node.type === 'gone') return '?---------'
  const bits = [...'rwxrwxrwx'].map((c, i) => ((node.mode >> (8 - i)) & 1 ? c : '-')).join('')
  const sticky = (node.mode & 0o1000) !== 0 ? `${bits.slice(0, 8)}${bits[8] === 'x' ? 't' : 'T'}` : bits
  return (node.type === 'dir' ? 'd' : '-') + sticky
}

const sizeOf = (node: FileNode): number => (node.type === 'file' ? node.content.length : node.type === 'link' ? node.target.length : 4096)

export function listing(m: Machine, r: Running, args: readonly string[]): Outcome {
  const flags = args
    .filter((a) => /^-[A-Za-z1]+$/.test(a))
    .map((a) => a.slice(1))
    .join('')
  const names = args.filter((a) => !a.startsWith('-'))
  const { view } = m.around
  const line = (path: string, name: string): string => {
    const node = lookup(view, path, false)
    if (!flags.includes('l') || !node || node.type === 'gone') return name
    const owner = node.type === 'link' ? 0 : node.uid
    const group = node.type === 'link' ? 0 : node.gid
    const who = (id: number): string => (id === 0 ? 'root' : String(id)).padEnd(8)
    return `${modeText(node)}    ${isDirectory(node) ? 2 : 1} ${who(owner)} ${who(group)} ${String(sizeOf(node)).padStart(9)} ${formatDate(EPOCH_MS + node.mtime, '%b %e %H:%M')} ${name}${node.type === 'link' ? ` -> ${node.target}` : ''}`
  }
  let status = 0
  const files: string[] = []
  const directories: string[] = []
  for (const name of names.length === 0 ? ['.'] : names) {
    const node = lookup(view, normalisePath(name, r.proc.cwd), !flags.includes('l'))
    if (!node) {
      write(m, r, 2, `ls: ${name}: ${FILE_ERRORS.ENOENT}\n`)
      status = 1
    } else if (isDirectory(node) && !flags.includes('d')) directories.push(name)
    else files.push(name)
  }
  for (const name of files) write(m, r, 1, `${line(normalisePath(name, r.proc.cwd), name)}\n`)
  const show = (name: string, titled: boolean, first: boolean): void => {
    const path = normalisePath(name, r.proc.cwd)
    if (titled) write(m, r, 1, `${first ? '' : '\n'}${name}:\n`)
    let inside: string[]
    try {
      inside = listDirectory(view, path)
    } catch (error) {
      write(m, r, 2, `ls: ${name}: ${(error as Error).message}\n`)
      status = 1
      return
    }
    const shown = [
      ...(flags.includes('a') ? ['.', '..'] : []),
      ...inside.filter((n) => flags.includes('a') || flags.includes('A') || !n.startsWith('.')),
    ]
    if (flags.includes('r')) shown.reverse()
    if (flags.includes('l')) write(m, r, 1, `total ${shown.length * 4}\n`)
    for (const n of shown) write(m, r, 1, `${line(normalisePath(`${path}/${n}`), n)}\n`)
    if (flags.includes('R'))
      for (const n of inside)
        if (isDirectory(lookup(view, `${path === '/' ? '' : path}/${n}`, false))) show(`${name.replace(/\/$/, '')}/${n}`, true, false)
  }
  directories.forEach((name, i) => show(name, directories.length + files.length > 1 || flags.includes('R'), i === 0 && files.length === 0))
  return status
}

export function statText(m: Machine, r: Running, args: readonly string[]): Outcome {
  let format: string | undefined
  let follow = false
  const names: string[] = []
  for (let i = 0; i < args.length; i++) {
    const a = args[i] as string
    if (a === '-c' || a === '--format') format = args[++i]
    else if (/^-c./.test(a)) format = a.slice(2)
    else if (/^-[Lft]+$/.test(a)) follow ||= a.includes('L')
    else names.push(a)
  }
  let status = 0
  for (const name of names) {
    const node = lookup(m.around.view, normalisePath(name, r.proc.cwd), follow)
    if (!node || node.type === 'gone') {
      write(m, r, 2, `stat: can't stat '${name}': ${FILE_ERRORS.ENOENT}\n`)
      status = 1
      continue
    }
    const mode = node.type === 'link' ? 0o777 : node.mode
    const kind =
      node.type === 'link'
        ? 'symbolic link'
        : node.type === 'dir'
          ? 'directory'
          : node.content === ''
            ? 'regular empty file'
            : 'regular file'
    const owner = node.type === 'link' ? { uid: 0, gid: 0 } : node
    if (format === undefined) {
      write(
        m,
        r,
        1,
        `  File: ${name}\n  Size: ${sizeOf(node)}\t${kind}\nAccess: (0${mode.toString(8)}/${modeText(node)})  Uid: (${owner.uid})   Gid: (${owner.gid})\n`,
      )
      continue
    }
    const text = format.replace(/%([naAsFuUgGYyhi%])/g, (_, c: string) => {
      switch (c) {
        case 'n':
          return name
        case 'a':
          return mode.toString(8)
        case 'A':
          return modeText(node)
        case 's':
          return String(sizeOf(node))
        case 'F':
          return kind
        case 'u':
          return String(owner.uid)
        case 'g':
          return String(owner.gid)
        case 'U':
          return owner.uid === 0 ? 'root' : 'UNKNOWN'
        case 'G':
          return owner.gid === 0 ? 'root' : 'UNKNOWN'
        case 'Y':
          return String(Math.floor((EPOCH_MS + node.mtime) / 1000))
        case 'y':
          return formatDate(EPOCH_MS + node.mtime, '%Y-%m-%d %H:%M:%S.000000000 +0000')
        case 'h':
          return '1'
        case 'i':
          return '1'
        default:
          return '%'
      }
    })
    write(m, r, 1, `${text}\n`)
  }
  return status
}

export function findFiles(m: Machine, r: Running, args: readonly string[]): Outcome {
  const starts: string[] = []
  let i = 0
  for (; i < args.length && !/^[-!(]/.test(args[i] as string); i++) starts.push(args[i] as string)
  let type: string | undefined
  let name: RegExp | undefined
  let path: RegExp | undefined
  let maxDepth = Number.POSITIVE_INFINITY
  let minDepth = 0
  let remove = false
  for (; i < args.length; i++) {
    const a = args[i] as string
    if (a === '-type') type = args[++i]
    else if (a === '-name' || a === '-iname') name = new RegExp(`^${globSource(args[++i] ?? '', true)}$`, a === '-iname' ? 'i' : '')
    else if (a === '-path') path = new RegExp(`^${globSource(args[++i] ?? '', true)}$`)
    else if (a === '-maxdepth') maxDepth = Number(args[++i])
    else if (a === '-mindepth') minDepth = Number(args[++i])
    else if (a === '-delete') remove = true
  }
  const { view } = m.around
  let status = 0
  const visit = (at: string, depth: number): void => {
    const full = normalisePath(at, r.proc.cwd)
    const node = lookup(view, full, false)
    if (!node) return
    const kind = node.type === 'dir' ? 'd' : node.type === 'link' ? 'l' : 'f'
    const base = at.replace(/\/+$/, '').split('/').at(-1) ?? ''
    if (depth >= minDepth && (type === undefined || type === kind) && (!name || name.test(base)) && (!path || path.test(at)) && !remove)
      write(m, r, 1, `${at}\n`)
    if (node.type === 'dir' && depth < maxDepth)
      for (const child of listDirectory(view, full)) visit(`${at.replace(/\/$/, '')}/${child}`, depth + 1)
  }
  for (const start of starts.length === 0 ? ['.'] : starts) {
    if (!lookup(view, normalisePath(start, r.proc.cwd), false)) {
      write(m, r, 2, `find: ${start}: ${FILE_ERRORS.ENOENT}\n`)
      status = 1
    } else visit(start, 0)
  }
  return status
}

export function copyTree(view: FileView, from: string, to: string): void {
  const node = lookup(view, from)
  if (!node || node.type === 'gone') throw new FileFailure('ENOENT')
  if (node.type === 'file') writeFile(view, to, node.content, { mode: node.mode })
  else if (node.type === 'link') makeLink(view, node.target, to)
  else {
    if (!isDirectory(lookup(view, to))) makeDirectory(view, to)
    for (const name of listDirectory(view, from)) copyTree(view, `${from}/${name}`, `${to}/${name}`)
  }
}
