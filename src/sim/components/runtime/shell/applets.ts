// The tools of busybox that scripts in containers use; messages are busybox's.
import { EPOCH_MS } from '../../../engine/types.ts'
import {
  changeNode,
  FILE_ERRORS,
  FileFailure,
  lookup,
  makeDirectory,
  makeLink,
  normalisePath,
  readFile,
  realPath,
  removeNode,
  writeFile,
} from '../filesystem.ts'
import { kill } from './builtins.ts'
import { FILTERS } from './filters.ts'
import { copyTree, findFiles, listing, statText } from './files.ts'
import {
  environmentOf,
  type Machine,
  type NetworkAnswer,
  type NetworkRequest,
  type Outcome,
  readAvailable,
  type Running,
  specialFile,
  write,
} from './machine.ts'
import { formatDate } from './text.ts'

export type Applet = (m: Machine, r: Running, argv: readonly string[], state: unknown) => Outcome

const flagsOf = (args: readonly string[]): string =>
  args
    .filter((a) => /^-[A-Za-z0-9]+$/.test(a))
    .map((a) => a.slice(1))
    .join('')
const wordsOf = (args: readonly string[]): string[] => args.filter((a) => a === '-' || !a.startsWith('-'))

/** Runs once per name; a failed file is reported as busybox does and makes the status 1. */
function each(
  m: Machine,
  r: Running,
  tool: string,
  names: readonly string[],
  body: (path: string, name: string) => void,
  verb = '',
): number {
  let status = 0
  for (const name of names) {
    try {
      body(normalisePath(name, r.proc.cwd), name)
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      write(m, r, 2, `${tool}: ${verb}${verb ? `'${name}'` : name}: ${error.message}\n`)
      status = 1
    }
  }
  return status
}

export const openText = (m: Machine, r: Running, name: string): string => {
  const path = normalisePath(name, r.proc.cwd)
  const special = specialFile(path, r.proc.fds)
  if (special) return special.k === 'pipe' || special.k === 'file' ? readAvailable(m, r, 0).text : ''
  return readFile(m.around.view, path)
}

function seconds(text: string): number | undefined {
  const match = /^(\d*\.?\d+)([smhd]?)$/.exec(text)
  if (!match) return text === 'infinity' || text === 'inf' ? Number.POSITIVE_INFINITY : undefined
  return Number(match[1]) * ({ s: 1, m: 60, h: 3600, d: 86400 }[match[2] || 's'] as number)
}

const APPLETS: Readonly<Record<string, Applet>> = {
  sleep: (m, r, argv, state) => {
    if (state !== undefined) return 0
    let total = 0
    if (argv.length < 2) {
      write(m, r, 2, 'sleep: missing operand\n')
      return 1
    }
    for (const word of argv.slice(1)) {
      const s = seconds(word)
      if (s === undefined) {
        write(m, r, 2, `sleep: invalid number '${word}'\n`)
        return 1
      }
      total += s
    }
    if (total === 0) return 0
    return { wait: Number.isFinite(total) ? { w: 'sleep', until: m.around.now + total * 1000 } : { w: 'signal' }, state: true }
  },
  ls: (m, r, argv) => listing(m, r, argv.slice(1)),
  touch: (m, r, argv) =>
    each(m, r, 'touch', wordsOf(argv.slice(1)), (path) => {
      if (lookup(m.around.view, path)) changeNode(m.around.view, path, { mtime: m.around.now })
      else if (!flagsOf(argv).includes('c')) writeFile(m.around.view, path, '', { uid: r.proc.uid, gid: r.proc.gid })
    }),
  mkdir: (m, r, argv) =>
    each(
      m,
      r,
      'mkdir',
      wordsOf(argv.slice(1)),
      (path) => makeDirectory(m.around.view, path, { parents: flagsOf(argv).includes('p'), uid: r.proc.uid, gid: r.proc.gid }),
      "can't create directory ",
    ),
  rmdir: (m, r, argv) => each(m, r, 'rmdir', wordsOf(argv.slice(1)), (path) => removeNode(m.around.view, path, { directory: true }), ''),
  rm: (m, r, argv) => {
    const flags = flagsOf(argv)
    let status = 0
    for (const name of wordsOf(argv.slice(1))) {
      try {
        removeNode(m.around.view, normalisePath(name, r.proc.cwd), { recursive: /[rR]/.test(flags) })
      } catch (error) {
        if (!(error instanceof FileFailure)) throw error
        if (error.code === 'ENOENT' && flags.includes('f')) continue
        write(m, r, 2, error.code === 'EISDIR' ? `rm: '${name}' is a directory\n` : `rm: can't remove '${name}': ${error.message}\n`)
        status = 1
      }
    }
    return status
  },
  cp: (m, r, argv) => copyOrMove(m, r, argv, false),
  mv: (m, r, argv) => copyOrMove(m, r, argv, true),
  ln: (m, r, argv) => {
    const [target = '', name = ''] = wordsOf(argv.slice(1))
    const view = m.around.view
    const path = normalisePath(name, r.proc.cwd)
    const to = lookup(view, path)?.type === 'dir' ? `${path}/${target.slice(target.lastIndexOf('/') + 1)}` : path
    try {
      if (flagsOf(argv).includes('f') && lookup(view, to, false)) removeNode(view, to)
      if (flagsOf(argv).includes('s')) makeLink(view, target, to)
      else writeFile(view, to, readFile(view, normalisePath(target, r.proc.cwd)))
      return 0
    } catch (error) {
      write(m, r, 2, `ln: ${name}: ${(error as Error).message}\n`)
      return 1
    }
  },
  readlink: (m, r, argv) => {
    const name = wordsOf(argv.slice(1))[0] ?? ''
    const path = normalisePath(name, r.proc.cwd)
    if (flagsOf(argv).includes('f')) {
      write(m, r, 1, `${realPath(m.around.view, path)}\n`)
      return 0
    }
    const node = lookup(m.around.view, path, false)
    if (node?.type !== 'link') return 1
    write(m, r, 1, `${node.target}\n`)
    return 0
  },
  realpath: (m, r, argv) => {
    write(m, r, 1, `${realPath(m.around.view, normalisePath(argv[1] ?? '.', r.proc.cwd))}\n`)
    return 0
  },
  pwd: (m, r) => {
    write(m, r, 1, `${r.proc.cwd}\n`)
    return 0
  },
  env: (m, r, argv) => {
    const args = argv.slice(1)
    let i = 0
    for (; i < args.length; i++) {
      const word = args[i] as string
      if (word === '-i' || word === '-') r.variables = new Map()
      else if (word === '-u') r.variables.delete(args[++i] ?? '')
      else if (/^[^=]+=/.test(word)) {
        const cut = word.indexOf('=')
        r.variables.set(word.slice(0, cut), { name: word.slice(0, cut), value: word.slice(cut + 1), exported: true })
      } else break
    }
    if (i < args.length) {
      r.stack.push({ i: 'exec', argv: args.slice(i) })
      return { done: true }
    }
    for (const [name, value] of environmentOf(r)) write(m, r, 1, `${name}=${value}\n`)
    return 0
  },
  printenv: (m, r, argv) => {
    const names = argv.slice(1)
    if (names.length === 0) for (const [name, value] of environmentOf(r)) write(m, r, 1, `${name}=${value}\n`)
    let status = 0
    for (const name of names) {
      const v = r.variables.get(name)
      if (v?.exported) write(m, r, 1, `${v.value}\n`)
      else status = 1
    }
    return status
  },
  date: (m, r, argv) => {
    const args = argv.slice(1)
    const format = args.find((a) => a.startsWith('+'))
    const iso = args.find((a) => /^-I/.test(a))
    const at = args.indexOf('-d')
    const given = at >= 0 ? args[at + 1] : undefined
    const ms = given?.startsWith('@')
      ? Number(given.slice(1)) * 1000
      : given !== undefined && !Number.isNaN(Date.parse(`${given.replace(' ', 'T')}Z`))
        ? Date.parse(`${given.replace(' ', 'T')}Z`)
        : EPOCH_MS + m.around.now
    write(
      m,
      r,
      1,
      `${formatDate(ms, format ? format.slice(1) : iso ? (/s/.test(iso) ? '%Y-%m-%dT%H:%M:%S+00:00' : '%Y-%m-%d') : '%a %b %e %H:%M:%S UTC %Y')}\n`,
    )
    return 0
  },
  hostname: (m, r, argv) => {
    write(
      m,
      r,
      1,
      `${
        argv.includes('-i')
          ? (/^(\S+)\t[^\n]*$/m.exec(
              safeRead(m, '/etc/hosts')
                .split('\n')
                .filter((l) => /^\d/.test(l) && !l.startsWith('127'))
                .join('\n'),
            )?.[1] ?? '127.0.0.1')
          : m.around.hostname()
      }\n`,
    )
    return 0
  },
  id: (m, r, argv) => {
    const { uid, gid } = r.proc
    const name = (n: number): string => (n === 0 ? '(root)' : '')
    const flags = flagsOf(argv)
    const text = flags.includes('u')
      ? flags.includes('n')
        ? uid === 0
          ? 'root'
          : String(uid)
        : String(uid)
      : flags.includes('g')
        ? String(gid)
        : flags.includes('G')
          ? String(gid)
          : `uid=${uid}${name(uid)} gid=${gid}${name(gid)}${uid === 0 ? ` groups=${gid}${name(gid)}` : ` groups=${gid}`}`
    write(m, r, 1, `${text}\n`)
    return 0
  },
  whoami: (m, r) => {
    if (r.proc.uid === 0) {
      write(m, r, 1, 'root\n')
      return 0
    }
    write(m, r, 2, `whoami: unknown uid ${r.proc.uid}\n`)
    return 1
  },
  seq: (m, r, argv) => {
    const numbers = argv
      .slice(1)
      .filter((a) => /^-?\d/.test(a))
      .map(Number)
    const [first, step, last] =
      numbers.length === 1
        ? [1, 1, numbers[0] as number]
        : numbers.length === 2
          ? [numbers[0] as number, 1, numbers[1] as number]
          : [numbers[0] ?? 1, numbers[1] ?? 1, numbers[2] ?? 0]
    let out = ''
    for (let n = first, i = 0; step > 0 ? n <= last : n >= last; n += step) {
      out += `${n}\n`
      if (++i > 100_000 || step === 0) break
    }
    write(m, r, 1, out)
    return 0
  },
  tail: (m, r, argv, state) => tail(m, r, argv, state),
  base64: (m, r, argv, state) => {
    const names = wordsOf(argv.slice(1)).filter((n) => n !== '-')
    let text = ''
    if (names.length > 0) text = openText(m, r, names[0] as string)
    else {
      const { text: now, end } = readAvailable(m, r, 0)
      text = (typeof state === 'string' ? state : '') + now
      if (!end) return { wait: { w: 'read', fd: 0 }, state: text }
    }
    if (flagsOf(argv).includes('d')) write(m, r, 1, decodeBase64(text))
    else {
      const encoded = encodeBase64(text)
      write(m, r, 1, `${/w0?/.test(flagsOf(argv)) ? encoded : encoded.replace(/(.{76})(?=.)/g, '$1\n')}\n`)
    }
    return 0
  },
  stat: (m, r, argv) => statText(m, r, argv.slice(1)),
  find: (m, r, argv) => findFiles(m, r, argv.slice(1)),
  basename: (m, r, argv) => {
    const base = (argv[1] ?? '').replace(/\/+$/, '')
    const name = base.slice(base.lastIndexOf('/') + 1)
    write(m, r, 1, `${argv[2] && name.endsWith(argv[2]) && name !== argv[2] ? name.slice(0, -argv[2].length) : name || '/'}\n`)
    return 0
  },
  dirname: (m, r, argv) => {
    const path = (argv[1] ?? '').replace(/\/+$/, '')
    const cut = path.lastIndexOf('/')
    write(m, r, 1, `${cut < 0 ? '.' : cut === 0 ? '/' : path.slice(0, cut)}\n`)
    return 0
  },
  chmod: (m, r, argv) => {
    const [mode = '', ...names] = argv.slice(1).filter((a) => !/^-[RvfchX]+$/.test(a))
    return each(m, r, 'chmod', names, (path) => {
      const node = lookup(m.around.view, path)
      if (!node || node.type === 'link' || node.type === 'gone') throw new FileFailure('ENOENT')
      changeNode(m.around.view, path, { mode: newMode(mode, node.mode) })
    })
  },
  chown: (m, r, argv) => {
    const [owner = '', ...names] = argv.slice(1).filter((a) => !a.startsWith('-'))
    const [user, group] = owner.split(':')
    return each(m, r, 'chown', names, (path) =>
      changeNode(m.around.view, path, {
        ...(user && /^\d+$/.test(user) ? { uid: Number(user) } : {}),
        ...(group && /^\d+$/.test(group) ? { gid: Number(group) } : {}),
      }),
    )
  },
  uname: (m, r, argv) => {
    const flags = flagsOf(argv)
    const parts = {
      s: 'Linux',
      n: m.around.hostname(),
      r: '6.8.0-60-generic',
      v: '#63-Ubuntu SMP PREEMPT_DYNAMIC',
      m: 'x86_64',
      o: 'GNU/Linux',
    }
    const wanted = flags.includes('a') ? 'snrvmo' : flags || 's'
    write(
      m,
      r,
      1,
      `${[...wanted]
        .map((c) => parts[c as keyof typeof parts])
        .filter(Boolean)
        .join(' ')}\n`,
    )
    return 0
  },
  nproc: (m, r) => {
    write(m, r, 1, '4\n')
    return 0
  },
  ps: (m, r) => {
    write(m, r, 1, 'PID   USER     TIME  COMMAND\n')
    for (const x of [...m.running.values()].sort((a, b) => a.proc.pid - b.proc.pid))
      write(
        m,
        r,
        1,
        `${String(x.proc.pid).padStart(5)} ${(x.proc.uid === 0 ? 'root' : String(x.proc.uid)).padEnd(8)}  0:00 ${x.proc.argv.join(' ')}\n`,
      )
    return 0
  },
  kill: (m, r, argv) => kill(m, r, argv.slice(1)),
  killall: (m, r, argv) => pkill(m, r, argv, true),
  pkill: (m, r, argv) => pkill(m, r, argv, false),
  pidof: (m, r, argv) => {
    const pids = [...m.running.values()].filter((x) => (x.proc.argv[0] ?? '').split('/').at(-1) === argv[1]).map((x) => x.proc.pid)
    if (pids.length === 0) return 1
    write(m, r, 1, `${pids.join(' ')}\n`)
    return 0
  },
  which: (m, r, argv) => {
    let status = 0
    for (const name of argv.slice(1)) {
      if (isKnownCommand(name)) write(m, r, 1, `/bin/${name}\n`)
      else status = 1
    }
    return status
  },
  mktemp: (m, r, argv) => {
    const template = wordsOf(argv.slice(1))[0] ?? '/tmp/tmp.XXXXXX'
    const path = template.replace(/X+$/, (x) =>
      [...x].map(() => 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'[Math.floor(m.around.random() * 62)]).join(''),
    )
    if (flagsOf(argv).includes('d')) makeDirectory(m.around.view, normalisePath(path, r.proc.cwd))
    else writeFile(m.around.view, normalisePath(path, r.proc.cwd), '', { mode: 0o600 })
    write(m, r, 1, `${path}\n`)
    return 0
  },
  expr: (m, r, argv) => {
    const [a = '', op, b = ''] = argv.slice(1)
    let out: string
    if (op === undefined) out = a
    else if (op === ':') out = String(new RegExp(`^${b}`).exec(a)?.[0].length ?? 0)
    else if (['+', '-', '*', '/', '%'].includes(op)) {
      const [x, y] = [Number(a), Number(b)]
      if (Number.isNaN(x) || Number.isNaN(y)) {
        write(m, r, 2, 'expr: non-numeric argument\n')
        return 2
      }
      out = String(op === '+' ? x + y : op === '-' ? x - y : op === '*' ? x * y : op === '/' ? Math.trunc(x / y) : x % y)
    } else {
      const [x, y] = /^-?\d+$/.test(a) && /^-?\d+$/.test(b) ? [Number(a), Number(b)] : [a, b]
      out = (op === '=' ? x === y : op === '!=' ? x !== y : op === '<' ? x < y : op === '>' ? x > y : op === '<=' ? x <= y : x >= y)
        ? '1'
        : '0'
    }
    write(m, r, 1, `${out}\n`)
    return out === '' || out === '0' ? 1 : 0
  },
  timeout: (m, r, argv, state) => timeout(m, r, argv, state),
  nohup: (_m, r, argv) => {
    r.stack.push({ i: 'exec', argv: argv.slice(1) })
    return { done: true }
  },
  nice: (_m, r, argv) => {
    r.stack.push({ i: 'exec', argv: argv.slice(argv[1] === '-n' ? 3 : 1) })
    return { done: true }
  },
  yes: (m, r, argv) => {
    // As much as a reader could want; the writer of an endless stream would never be waited for.
    write(m, r, 1, `${argv.slice(1).join(' ') || 'y'}\n`.repeat(1000))
    return 0
  },
  df: (m, r, argv) => {
    const human = flagsOf(argv).includes('h')
    write(
      m,
      r,
      1,
      human
        ? 'Filesystem                Size      Used Available Use% Mounted on\noverlay                 100.0G     12.0G     88.0G  12% /\n'
        : 'Filesystem           1K-blocks      Used Available Use% Mounted on\noverlay              104857600  12582912  92274688  12% /\n',
    )
    return 0
  },
  free: (m, r) => {
    write(
      m,
      r,
      1,
      '              total        used        free      shared  buff/cache   available\nMem:        8388608     1048576     6291456        1024     1048576     7340032\nSwap:             0           0           0\n',
    )
    return 0
  },
  uptime: (m, r) => {
    write(m, r, 1, ` ${formatDate(EPOCH_MS + m.around.now, '%H:%M:%S')} up 10 min,  0 users,  load average: 0.05, 0.04, 0.01\n`)
    return 0
  },
  sync: () => 0,
  usleep: (m, _r, argv, state) =>
    state !== undefined ? 0 : { wait: { w: 'sleep', until: m.around.now + Number(argv[1] ?? 0) / 1000 }, state: true },
  clear: () => 0,
  mount: () => 0,
  wget: (m, r, argv, state) => network(m, r, 'wget', argv, state),
  curl: (m, r, argv, state) => network(m, r, 'curl', argv, state),
  nc: (m, r, argv, state) => network(m, r, 'nc', argv, state),
  netcat: (m, r, argv, state) => network(m, r, 'nc', argv, state),
  nslookup: (m, r, argv, state) => network(m, r, 'nslookup', argv, state),
}

const SHELL_WORDS = new Set(['sh', 'ash', 'bash', 'echo', 'printf', 'test', '[', 'true', 'false', 'pwd', 'kill'])

export function findApplet(name: string): Applet | undefined {
  if (Object.hasOwn(APPLETS, name)) return APPLETS[name]
  return Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined
}

export function isKnownCommand(name: string): boolean {
  return SHELL_WORDS.has(name) || findApplet(name) !== undefined
}

function safeRead(m: Machine, path: string): string {
  try {
    return readFile(m.around.view, path)
  } catch {
    return ''
  }
}

function copyOrMove(m: Machine, r: Running, argv: readonly string[], move: boolean): Outcome {
  const tool = move ? 'mv' : 'cp'
  const flags = flagsOf(argv)
  const names = wordsOf(argv.slice(1))
  const target = names.pop() ?? ''
  const { view } = m.around
  const to = normalisePath(target, r.proc.cwd)
  const intoDirectory = lookup(view, to)?.type === 'dir'
  let status = 0
  for (const name of names) {
    const from = normalisePath(name, r.proc.cwd)
    const node = lookup(view, from)
    if (!node) {
      write(m, r, 2, `${tool}: can't ${move ? 'rename' : 'stat'} '${name}': ${FILE_ERRORS.ENOENT}\n`)
      status = 1
      continue
    }
    if (node.type === 'dir' && !move && !/[rRa]/.test(flags)) {
      write(m, r, 2, `cp: omitting directory '${name}'\n`)
      status = 1
      continue
    }
    const path = intoDirectory ? `${to}/${from.slice(from.lastIndexOf('/') + 1)}` : to
    try {
      copyTree(view, from, path)
      if (move) removeNode(view, from, { recursive: true })
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      write(m, r, 2, `${tool}: can't create '${target}': ${error.message}\n`)
      status = 1
    }
  }
  return status
}

function newMode(mode: string, old: number): number {
  if (/^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8)
  let result = old
  for (const clause of mode.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwxX]*)$/.exec(clause)
    if (!match) continue
    const who = match[1] === '' || match[1]?.includes('a') ? 'ugo' : (match[1] as string)
    const bits = (match[3]?.includes('r') ? 4 : 0) | (match[3]?.includes('w') ? 2 : 0) | (/[xX]/.test(match[3] ?? '') ? 1 : 0)
    for (const w of who) {
      const shift = w === 'u' ? 6 : w === 'g' ? 3 : 0
      if (match[2] === '+') result |= bits << shift
      else if (match[2] === '-') result &= ~(bits << shift)
      else result = (result & ~(7 << shift)) | (bits << shift)
    }
  }
  return result
}

function pkill(m: Machine, r: Running, argv: readonly string[], exact: boolean): Outcome {
  const args = argv.slice(1)
  const name = args.at(-1) ?? ''
  const signalArgs = args.length > 1 && (args[0] ?? '').startsWith('-') && args[0] !== '-f' ? [args[0] as string] : []
  const pids = [...m.running.values()]
    .filter(
      (x) =>
        x.proc.pid !== r.proc.pid && (exact ? (x.proc.argv[0] ?? '').split('/').at(-1) === name : x.proc.argv.join(' ').includes(name)),
    )
    .map((x) => String(x.proc.pid))
  if (pids.length === 0) {
    if (exact) write(m, r, 2, `killall: ${name}: no process killed\n`)
    return 1
  }
  return kill(m, r, [...signalArgs, ...pids])
}

/** tail(1); -f looks again every second, as busybox does. */
const FOLLOW_MS = 1000

function tail(m: Machine, r: Running, argv: readonly string[], state: unknown): Outcome {
  const args = argv.slice(1)
  const follow = args.some((a) => /^-[a-z0-9]*[fF]/.test(a) && a !== '-n')
  let count = 10
  let fromStart = false
  let bytes = false
  const names: string[] = []
  for (let i = 0; i < args.length; i++) {
    const a = args[i] as string
    const inline = /^-(?:[fF]*)([nc])?([+-]?\d+)?[fF]*$/.exec(a)
    if (a === '-n' || a === '-c' || /^-[fF]+[nc]$/.test(a)) {
      bytes = a.endsWith('c')
      const value = args[++i] ?? '10'
      fromStart = value.startsWith('+')
      count = Math.abs(Number(value))
    } else if (inline && a !== '-') {
      if (inline[2] !== undefined) {
        fromStart = inline[2].startsWith('+')
        count = Math.abs(Number(inline[2]))
        bytes = inline[1] === 'c'
      }
    } else names.push(a)
  }
  const cut = (text: string): string => {
    if (bytes) return fromStart ? text.slice(count - 1) : text.slice(-count)
    const lines = text.split(/(?<=\n)/)
    return (fromStart ? lines.slice(count - 1) : count === 0 ? [] : lines.slice(-count)).join('')
  }
  if (names.length === 0) {
    const { text, end } = readAvailable(m, r, 0)
    const all = (typeof state === 'string' ? state : '') + text
    if (!end) return { wait: { w: 'read', fd: 0 }, state: all }
    write(m, r, 1, cut(all))
    return 0
  }
  const positions = (Array.isArray(state) ? state : undefined) as number[] | undefined
  let status = 0
  const next: number[] = []
  let endless = true
  names.forEach((name, i) => {
    const path = normalisePath(name, r.proc.cwd)
    if (specialFile(path, r.proc.fds)) {
      next.push(0)
      return
    }
    endless = false
    try {
      const text = readFile(m.around.view, path)
      const seen = positions?.[i]
      if (seen === undefined) write(m, r, 1, (names.length > 1 ? `${i > 0 ? '\n' : ''}==> ${name} <==\n` : '') + cut(text))
      else if (text.length > seen) write(m, r, 1, text.slice(seen))
      next.push(text.length)
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      if (positions === undefined) write(m, r, 2, `tail: can't open '${name}': ${error.message}\n`)
      if (!follow || positions === undefined) status = 1
      next.push(0)
    }
  })
  if (!follow) return status
  if (status !== 0 && names.length === 1 && positions === undefined && !args.some((a) => a.includes('F'))) {
    write(m, r, 2, 'tail: no files\n')
    return 1
  }
  return { wait: endless ? { w: 'signal' } : { w: 'sleep', until: m.around.now + FOLLOW_MS }, state: next }
}

function timeout(m: Machine, r: Running, argv: readonly string[], state: unknown): Outcome {
  const args = argv.slice(1).filter((a, i, all) => !(a.startsWith('-') || all[i - 1] === '-s' || all[i - 1] === '-k'))
  const limit = seconds((args[0] ?? '').replace(/^-t/, ''))
  if (limit === undefined) return 125
  if (state === undefined) {
    const pid = m.nextPid++
    const { session: _session, ...rest } = r.proc
    m.running.set(pid, {
      proc: {
        ...rest,
        pid,
        parent: r.proc.pid,
        argv: args.slice(1),
        shell: false,
        traps: [],
        pending: [],
        waiting: { w: 'ready' },
        startedAt: m.around.now,
      },
      stack: [{ i: 'exec', argv: args.slice(1) }],
      variables: new Map(r.variables),
    })
    return { wait: { w: 'sleep', until: m.around.now + 1 }, state: { pid, at: m.around.now + limit * 1000 } }
  }
  const { pid, at } = state as { pid: number; at: number }
  if (!m.running.has(pid)) {
    const code = m.ended.get(pid) ?? 0
    m.ended.delete(pid)
    return code
  }
  if (m.around.now >= at) {
    m.running.delete(pid)
    return 143
  }
  return { wait: { w: 'sleep', until: Math.min(at, m.around.now + 100) }, state }
}

/** wget, curl, nc and nslookup: a request to the network, then what it answered. */
function network(m: Machine, r: Running, tool: NetworkRequest['tool'], argv: readonly string[], state: unknown): Outcome {
  if (state !== undefined) {
    const answer = (state as { answer?: NetworkAnswer }).answer
    if (!answer) return { wait: { w: 'network', call: (state as { call: number }).call }, state }
    const output = (state as { output?: string }).output
    if (output !== undefined && output !== '-' && answer.status === 0)
      writeFile(m.around.view, normalisePath(output, r.proc.cwd), answer.stdout)
    else write(m, r, 1, answer.stdout)
    write(m, r, 2, answer.stderr)
    return answer.status
  }
  const request = parseRequest(tool, argv.slice(1))
  if (!request) {
    write(m, r, 2, tool === 'curl' ? 'curl: (2) no URL specified\n' : `${tool}: bad address\n`)
    return tool === 'curl' ? 2 : 1
  }
  if (request.listen) return { wait: { w: 'signal' }, state: { listening: true } }
  const call = m.around.connect(request.request, r.proc.pid)
  return { wait: { w: 'network', call }, state: { call, ...(request.output === undefined ? {} : { output: request.output }) } }
}

function parseRequest(
  tool: NetworkRequest['tool'],
  args: readonly string[],
): { request: NetworkRequest; output?: string; listen?: boolean } | undefined {
  let timeoutMs = tool === 'wget' ? 900_000 : 130_000
  let output: string | undefined = tool === 'wget' ? 'index.html' : undefined
  let method = 'GET'
  let body: string | undefined
  let listen = false
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const a = args[i] as string
    if (a === '-T' || a === '-w' || a === '-m' || a === '--max-time' || a === '--connect-timeout') timeoutMs = Number(args[++i]) * 1000
    else if (/^(--timeout=|-T|-w)\d+$/.test(a)) timeoutMs = Number(/\d+$/.exec(a)?.[0]) * 1000
    else if (a === '-O' || a === '-o' || a === '-qO' || a === '-sO') output = args[++i]
    else if (/^-[a-zA-Z]*O-$/.test(a)) output = '-'
    else if (a === '-X' || a === '--request') method = args[++i] ?? 'GET'
    else if (a === '-d' || a === '--data' || a === '--post-data') {
      body = args[++i]
      method = 'POST'
    } else if (a === '-H' || a === '--header' || a === '-A' || a === '-u' || a === '--cacert') i++
    else if (a === '-p' && tool === 'nc') words.push(args[++i] ?? '')
    else if (a.startsWith('-')) listen ||= tool === 'nc' && a.includes('l')
    else words.push(a)
  }
  if (tool === 'nc' || tool === 'nslookup') {
    const [host = '', port = '0'] = words
    if (host === '' && !listen) return undefined
    return { request: { tool, host, port: Number(port), path: '', method: '', timeoutMs }, listen }
  }
  const url = words[0]
  if (url === undefined) return undefined
  const match = /^(?:(https?):\/\/)?(\[[^\]]+\]|[^:/?]+)(?::(\d+))?(.*)$/.exec(url)
  if (!match) return undefined
  const path = match[4] ?? ''
  const request: NetworkRequest = {
    tool,
    host: match[2] as string,
    port: match[3] ? Number(match[3]) : match[1] === 'https' ? 443 : 80,
    path: path === '' ? '/' : path.startsWith('/') ? path : `/${path}`,
    method,
    timeoutMs,
    ...(body === undefined ? {} : { body }),
  }
  return { request, ...(output === undefined ? {} : { output }) }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

const bytesOf = (text: string): number[] => {
  const out: number[] = []
  for (const c of text) {
    const code = c.codePointAt(0) as number
    if (code < 0x80) out.push(code)
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return out
}

/** Bytes as text: UTF-8 where it is valid, one character per byte where not. */
export function textOf(bytes: readonly number[]): string {
  let out = ''
  for (let i = 0; i < bytes.length; ) {
    const b = bytes[i] as number
    const n = b < 0x80 ? 0 : b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : -1
    const rest = bytes.slice(i + 1, i + 1 + Math.max(n, 0))
    if (n < 0 || rest.length < n || rest.some((x) => (x & 0xc0) !== 0x80)) {
      out += String.fromCharCode(b)
      i++
      continue
    }
    out += String.fromCodePoint(n === 0 ? b : rest.reduce((code, x) => (code << 6) | (x & 63), b & (0x3f >> n)))
    i += n + 1
  }
  return out
}

export function encodeBase64(text: string): string {
  const bytes = bytesOf(text)
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.slice(i, i + 3)
    out += `${ALPHABET[a >> 2]}${ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]}${b === undefined ? '=' : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]}${c === undefined ? '=' : ALPHABET[c & 63]}`
  }
  return out
}

export function decodeBase64(text: string): string {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const c of text) {
    const v = ALPHABET.indexOf(c)
    if (v < 0) continue
    held = (held << 6) | v
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 255)
      held &= (1 << bits) - 1
    }
  }
  return textOf(bytes)
}
