// Commands that the shell itself runs, and the shell as a command.
import { FileFailure, lookup, normalisePath, readFile } from '../filesystem.ts'
import { echoText, formatPrintf, testExpression } from './text.ts'
import {
  commandExists,
  environmentOf,
  fork,
  type Machine,
  type Outcome,
  readAvailable,
  type Running,
  setStatus,
  setVariable,
  shellName,
  signal,
  unread,
  write,
} from './machine.ts'
import { signalName, type Variable } from './process.ts'

const SHELLS = ['sh', 'bash', 'ash', 'dash', '/bin/sh', '/bin/bash', '/bin/ash', '/usr/bin/bash', '/usr/bin/sh', '/usr/bin/env sh']

export function runBuiltin(m: Machine, r: Running, argv: readonly string[], state: unknown): Outcome | undefined {
  const [command = '', ...args] = argv
  if (SHELLS.includes(command) && m.around.hasTools) return shell(m, r, command, args)
  switch (command) {
    case ':':
    case 'true':
      return 0
    case 'false':
      return 1
    case 'echo':
      write(m, r, 1, echoText(args))
      return 0
    case 'printf':
      write(m, r, 1, formatPrintf(args))
      return args.length === 0 ? 2 : 0
    case 'test':
    case '[[':
    case '[': {
      const words = command === 'test' ? args : args.slice(0, -1)
      if (command !== 'test' && args.at(-1) !== `${command === '[' ? '' : ']'}]`) {
        write(m, r, 2, `${shellName(r)}: ${command}: missing ${command === '[' ? ']' : ']]'}\n`)
        return 2
      }
      try {
        return testExpression(words, m.around.view, r.proc.cwd) ? 0 : 1
      } catch (error) {
        if (error instanceof FileFailure) return 1
        write(m, r, 2, `${shellName(r)}: ${(error as Error).message}\n`)
        return 2
      }
    }
  }
  if (!r.proc.shell) return undefined
  switch (command) {
    case 'exit': {
      const code = args[0] === undefined ? r.proc.status : Number(args[0]) & 255
      r.stack = []
      setStatus(r, Number.isNaN(code) ? 2 : code)
      return { done: true }
    }
    case 'return': {
      while (r.stack.length > 0 && r.stack.at(-1)?.i !== 'call-end') r.stack.pop()
      return args[0] === undefined ? r.proc.status : Number(args[0]) & 255
    }
    case 'break':
    case 'continue':
      return leaveLoop(r, command, Number(args[0] ?? 1))
    case 'cd':
      return changeDirectory(m, r, args)
    case 'export':
    case 'readonly': {
      for (const word of args.filter((w) => w !== '-p')) {
        const cut = word.indexOf('=')
        const name = cut < 0 ? word : word.slice(0, cut)
        setVariable(r, name, cut < 0 ? (r.variables.get(name)?.value ?? '') : word.slice(cut + 1), command === 'export' ? true : undefined)
      }
      if (args.length === 0) for (const [name, value] of environmentOf(r)) write(m, r, 1, `export ${name}='${value}'\n`)
      return 0
    }
    case 'local':
    case 'declare':
    case 'typeset':
      for (const word of args.filter((w) => !w.startsWith('-'))) {
        const cut = word.indexOf('=')
        setVariable(r, cut < 0 ? word : word.slice(0, cut), cut < 0 ? '' : word.slice(cut + 1))
      }
      return 0
    case 'unset':
      for (const name of args.filter((w) => !w.startsWith('-'))) r.variables.delete(name)
      return 0
    case 'set':
      return setOptions(m, r, args)
    case 'shift':
      r.proc = { ...r.proc, params: r.proc.params.slice(Number(args[0] ?? 1)) }
      return 0
    case 'trap':
      return trap(m, r, args)
    case 'eval':
      r.stack.push({ i: 'text', text: args.join(' ') })
      return { done: true }
    case '.':
    case 'source':
      try {
        r.stack.push({ i: 'text', text: readFile(m.around.view, normalisePath(args[0] ?? '', r.proc.cwd)) })
        return { done: true }
      } catch {
        write(m, r, 2, `${shellName(r)}: ${command}: can't open '${args[0] ?? ''}': No such file or directory\n`)
        return 2
      }
    case 'exec': {
      r.stack = [{ i: 'exec', argv: args }]
      r.proc = { ...r.proc, shell: false, argv: args, traps: r.proc.traps.filter(([, action]) => action === '') }
      if (!commandExists(m, args[0] ?? '', new Map(environmentOf(r)), r.proc.cwd)) {
        write(m, r, 2, `${shellName(r)}: exec: ${args[0] ?? ''}: not found\n`)
        r.stack = []
        r.proc = { ...r.proc, shell: true }
        return 127
      }
      return { done: true }
    }
    case 'wait': {
      const pids =
        args.length > 0 ? args.map(Number) : [...m.running.values()].filter((x) => x.proc.parent === r.proc.pid).map((x) => x.proc.pid)
      if (args.length === 0 && pids.length === 0) return 0
      r.stack.push({ i: 'wait-all', pids, interruptible: true })
      return { done: true }
    }
    case 'kill':
      return kill(m, r, args)
    case 'read':
      return read(m, r, args, state)
    case 'command':
    case 'type': {
      if (command === 'command' && args[0] !== '-v' && args[0] !== '-V') {
        r.stack.push({ i: 'exec', argv: args })
        return { done: true }
      }
      const name = args.at(-1) ?? ''
      const found = r.proc.functions.some(([n]) => n === name) || commandExists(m, name, new Map(environmentOf(r)), r.proc.cwd)
      if (found) write(m, r, 1, command === 'type' ? `${name} is /bin/${name}\n` : name.includes('/') ? `${name}\n` : `/bin/${name}\n`)
      return found ? 0 : 127
    }
    case 'umask':
      if (args.length === 0) write(m, r, 1, '0022\n')
      return 0
    case 'ulimit':
    case 'jobs':
    case 'hash':
    case 'times':
    case 'fg':
    case 'bg':
    case 'alias':
      return 0
    case 'pwd':
      write(m, r, 1, `${r.proc.cwd}\n`)
      return 0
  }
  return undefined
}

/** `sh -c script`, `sh file`, `sh` with the script on standard input. */
function shell(m: Machine, r: Running, command: string, args: readonly string[]): Outcome {
  let errexit = false
  let nounset = false
  let trace = false
  let i = 0
  let inline = false
  for (; i < args.length; i++) {
    const option = args[i] as string
    if (!/^[-+][a-z]+$/i.test(option)) break
    if (option === '-o' || option === '+o') {
      if (args[i + 1] === 'errexit') errexit = true
      i++
      continue
    }
    errexit ||= option.includes('e')
    nounset ||= option.includes('u')
    trace ||= option.includes('x')
    if (option.includes('c')) {
      inline = true
      i++
      break
    }
  }
  const rest = args.slice(i)
  let text = ''
  let name = command
  let params: readonly string[] = []
  if (inline) {
    text = rest[0] ?? ''
    name = rest[1] ?? command
    params = rest.slice(2)
  } else if (rest.length > 0) {
    const path = rest[0] as string
    name = path
    params = rest.slice(1)
    try {
      text = readFile(m.around.view, normalisePath(path, r.proc.cwd))
    } catch {
      write(m, r, 2, `${command}: can't open '${path}': No such file or directory\n`)
      return 2
    }
  } else text = readAvailable(m, r, 0).text
  if (r.proc.shell || r.stack.length > 0) {
    const pid = fork(m, r, { t: 'seq', items: [] }, r.proc.fds)
    const child = m.running.get(pid) as Running
    child.stack = [{ i: 'text', text }]
    child.variables = new Map([...r.variables].filter(([, v]: [string, Variable]) => v.exported))
    child.proc = { ...child.proc, name, params, errexit, nounset, trace, functions: [], argv: [command, ...args], status: 0 }
    r.stack.push({ i: 'wait-all', pids: [pid] })
    return { done: true }
  }
  r.proc = { ...r.proc, shell: true, name, params, errexit, nounset, trace, status: 0 }
  r.stack.push({ i: 'text', text })
  return { done: true }
}

function leaveLoop(r: Running, how: 'break' | 'continue', count: number): Outcome {
  let left = Math.max(1, count)
  while (r.stack.length > 0) {
    const it = r.stack.at(-1)
    if (it?.i === 'loop-body' || it?.i === 'for') {
      if (--left === 0) {
        if (how === 'break') r.stack.pop()
        break
      }
    } else if (it?.i === 'call-end') break
    else if (it?.i === 'fds') r.proc = { ...r.proc, fds: it.fds }
    r.stack.pop()
  }
  return 0
}

function changeDirectory(m: Machine, r: Running, args: readonly string[]): Outcome {
  const target = args.filter((a) => a !== '--' && a !== '-P' && a !== '-L')[0] ?? r.variables.get('HOME')?.value ?? '/'
  const path = target === '-' ? (r.variables.get('OLDPWD')?.value ?? r.proc.cwd) : normalisePath(target, r.proc.cwd)
  const node = lookup(m.around.view, path)
  if (node?.type !== 'dir') {
    write(m, r, 2, `${shellName(r)}: cd: can't cd to ${target}: ${node ? 'Not a directory' : 'No such file or directory'}\n`)
    return 2
  }
  setVariable(r, 'OLDPWD', r.proc.cwd, true)
  setVariable(r, 'PWD', path, true)
  r.proc = { ...r.proc, cwd: path }
  return 0
}

function setOptions(m: Machine, r: Running, args: readonly string[]): Outcome {
  if (args.length === 0) {
    for (const v of [...r.variables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) write(m, r, 1, `${v.name}='${v.value}'\n`)
    return 0
  }
  let i = 0
  for (; i < args.length; i++) {
    const option = args[i] as string
    if (option === '--') {
      i++
      break
    }
    if (!/^[-+]/.test(option)) break
    const on = option.startsWith('-')
    const letters =
      option === '-o' || option === '+o'
        ? (({ errexit: 'e', nounset: 'u', xtrace: 'x' } as Record<string, string>)[args[++i] ?? ''] ?? '')
        : option
    r.proc = {
      ...r.proc,
      errexit: letters.includes('e') ? on : r.proc.errexit,
      nounset: letters.includes('u') ? on : r.proc.nounset,
      trace: letters.includes('x') ? on : r.proc.trace,
    }
  }
  if (i < args.length || args.includes('--')) r.proc = { ...r.proc, params: args.slice(i) }
  return 0
}

function trap(m: Machine, r: Running, args: readonly string[]): Outcome {
  if (args.length === 0) {
    for (const [name, action] of r.proc.traps) write(m, r, 1, `trap -- '${action}' ${name}\n`)
    return 0
  }
  const words = args[0] === '--' ? args.slice(1) : args
  const clear = words[0] === '-' || (words.length === 1 && signalName(words[0] as string) !== undefined)
  const action = clear ? undefined : (words[0] as string)
  let status = 0
  for (const word of clear && words[0] !== '-' ? words : words.slice(1)) {
    const name = signalName(word)
    if (name === undefined) {
      write(m, r, 2, `${shellName(r)}: trap: ${word}: invalid signal specification\n`)
      status = 1
      continue
    }
    const others = r.proc.traps.filter(([s]) => s !== name)
    r.proc = { ...r.proc, traps: action === undefined ? others : [...others, [name, action]] }
  }
  return status
}

export function kill(m: Machine, r: Running, args: readonly string[]): Outcome {
  let name = 'TERM'
  const targets: string[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    if (word === '-s') name = signalName(args[++i] ?? '') ?? 'TERM'
    else if (word === '-l') return 0
    else if (i === 0 && /^-/.test(word) && word !== '--') name = signalName(word.slice(1)) ?? name
    else if (word !== '--') targets.push(word)
  }
  let status = 0
  for (const target of targets) {
    if (target === '0' || target === '-1') {
      for (const pid of [...m.running.keys()]) if (pid !== 1) signal(m, pid, name)
      continue
    }
    const pid = Number(target)
    if (name === 'EXIT' ? !m.running.has(pid) : !sendFromInside(m, pid, name)) {
      write(m, r, 2, `${shellName(r)}: can't kill pid ${target}: No such process\n`)
      status = 1
    }
  }
  return status
}

/** From inside its namespace process 1 cannot be killed, not even by SIGKILL. */
function sendFromInside(m: Machine, pid: number, name: string): boolean {
  if (pid === 1 && name === 'KILL') return true
  return signal(m, pid, name)
}

function read(m: Machine, r: Running, args: readonly string[], state: unknown): Outcome {
  const before = typeof state === 'string' ? state : ''
  const names = args.filter((a, i) => !a.startsWith('-') && !/^-[tnpdu]$/.test(args[i - 1] ?? ''))
  const { text, end } = readAvailable(m, r, 0)
  const all = before + text
  const cut = all.indexOf('\n')
  if (cut < 0 && !end) return { wait: { w: 'read', fd: 0 }, state: all }
  const line = cut < 0 ? all : all.slice(0, cut)
  if (cut >= 0) unread(m, r, 0, all.slice(cut + 1))
  const ifs = r.variables.get('IFS')?.value ?? ' \t\n'
  const list = names.length === 0 ? ['REPLY'] : names
  let rest = ifs === '' ? line : line.replace(/^[ \t]+|[ \t]+$/g, '')
  list.forEach((name, i) => {
    if (i === list.length - 1 || ifs === '') {
      setVariable(r, name, rest)
      return
    }
    const at = [...rest].findIndex((c) => ifs.includes(c))
    setVariable(r, name, at < 0 ? rest : rest.slice(0, at))
    rest = at < 0 ? '' : rest.slice(at + 1).replace(/^[ \t]+/, '')
  })
  return cut < 0 && all === '' ? 1 : cut < 0 ? 1 : 0
}
