// Runs the processes of one container until all of them wait. State in, state out: between two runs everything is in a ProcessTree.
import type { FileView } from '../filesystem.ts'
import { FileFailure, lookup, normalisePath, readFile, writeFile } from '../filesystem.ts'
import { findApplet, isKnownCommand } from './applets.ts'
import type { Node, Redirect, Word } from './ast.ts'
import { runBuiltin } from './builtins.ts'
import { createExpander, type Expander, ExpansionFailure, substitutionsIn } from './expand.ts'
import { parseScript } from './parse.ts'
import { type Fd, type Item, type Pipe, type Proc, type ProcessTree, SIGNALS, type Variable, type Waiting } from './process.ts'

/** What the machine needs of the container around it. */
export interface Surroundings {
  readonly now: number
  readonly view: FileView
  /** Lines and pieces of lines for the container's log. */
  log(stream: 'stdout' | 'stderr', text: string): void
  session(session: string, stream: 'stdout' | 'stderr', text: string): void
  /** A program of the image by the name of its command; undefined = there is no such program. */
  program(name: string, argv: readonly string[], environment: ReadonlyMap<string, string>): ProgramStart | undefined
  /** What a program of the image does next: what it writes, when it goes on, whether it ends. */
  programStep(program: NonNullable<Proc['program']>, environment: ReadonlyMap<string, string>): ProgramStep
  /** How a program of the image takes a signal; undefined = as any process does. */
  programSignal(
    program: NonNullable<Proc['program']>,
    signal: string,
  ): { readonly afterMs: number; readonly code: number } | 'ignore' | undefined
  /** Whether the image has the usual tools of a shell. */
  readonly hasTools: boolean
  hostname(): string
  /** Opens a connection for wget, nc and the like; the result comes back as `network` input. */
  connect(request: NetworkRequest, pid: number): number
  random(): number
}

export type ProgramStart =
  | { readonly kind: 'program'; readonly name: string }
  | { readonly kind: 'exit'; readonly code: number; readonly stdout?: string; readonly stderr?: string }

export interface ProgramStep {
  readonly writes: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[]
  readonly lines: number
  readonly next?: number
  readonly exit?: number
}

export interface NetworkRequest {
  readonly tool: 'wget' | 'curl' | 'nc' | 'nslookup'
  readonly host: string
  readonly port: number
  readonly path: string
  readonly method: string
  readonly body?: string
  readonly timeoutMs: number
}

export interface NetworkAnswer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A busy loop may run so many commands before it has to give way for a slice of virtual time; one that goes on and on gets less. */
const COMMANDS_PER_SLICE = 2000
const SLICE_MS = 100
const PATIENCE = 10
const COMMANDS_PER_LONG_SLICE = 200
const LONG_SLICE_MS = 1000
const PIPE_LIMIT = 65536

/** The working form of a process while the machine runs. */
export interface Running {
  proc: Proc
  stack: Item[]
  variables: Map<string, Variable>
}

export interface Machine {
  readonly around: Surroundings
  readonly container: string
  readonly running: Map<number, Running>
  readonly pipes: Map<number, Pipe>
  /** Exit codes of children that nobody waited for yet. */
  readonly ended: Map<number, number>
  nextPid: number
  nextPipe: number
  budget: number
  /** Slices that were used up one after the other. */
  busy: number
  /** How the container's first process ended. */
  exit?: { code: number }
  /** Sessions that ended in this run: name → exit code. */
  readonly sessionsEnded: Map<string, number>
}

export function openMachine(tree: ProcessTree, around: Surroundings): Machine {
  return {
    around,
    container: tree.container,
    running: new Map(
      tree.processes.map((proc) => [
        proc.pid,
        { proc, stack: [...proc.stack], variables: new Map(proc.variables.map((v) => [v.name, v])) },
      ]),
    ),
    pipes: new Map(tree.pipes.map((pipe) => [pipe.id, pipe])),
    ended: new Map(tree.ended),
    nextPid: tree.nextPid,
    nextPipe: tree.nextPipe,
    budget: tree.busy > PATIENCE ? COMMANDS_PER_LONG_SLICE : COMMANDS_PER_SLICE,
    busy: tree.busy,
    sessionsEnded: new Map(),
  }
}

export function closeMachine(m: Machine): ProcessTree {
  const processes = [...m.running.values()].map((r): Proc => ({ ...r.proc, stack: r.stack, variables: [...r.variables.values()] }))
  const used = new Set(processes.flatMap((p) => p.fds.map(([, fd]) => (fd.k === 'pipe' ? fd.id : -1))))
  for (const p of processes) for (const item of p.stack) if (item.i === 'capture') used.add(item.pipe)
  return {
    container: m.container,
    processes: processes.sort((a, b) => a.pid - b.pid),
    pipes: [...m.pipes.values()].filter((pipe) => used.has(pipe.id)),
    ended: [...m.ended].sort((a, b) => a[0] - b[0]),
    nextPid: m.nextPid,
    nextPipe: m.nextPipe,
    busy: m.budget <= 0 ? m.busy + 1 : 0,
  }
}

export const emptyTree = (container: string): ProcessTree => ({
  container,
  processes: [],
  pipes: [],
  ended: [],
  nextPid: 1,
  nextPipe: 1,
  busy: 0,
})

export interface Spawn {
  readonly parent: number
  readonly argv: readonly string[]
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly environment: readonly (readonly [string, string])[]
  readonly fds: readonly (readonly [number, Fd])[]
  readonly session?: string
}

/** execve(): false if there is no such program. */
export function spawn(m: Machine, s: Spawn): number | undefined {
  const command = s.argv[0] ?? ''
  if (!commandExists(m, command, new Map(s.environment), s.cwd)) return undefined
  const pid = m.nextPid++
  const proc: Proc = {
    pid,
    parent: s.parent,
    argv: s.argv,
    cwd: s.cwd,
    uid: s.uid,
    gid: s.gid,
    variables: [],
    functions: [],
    name: command,
    params: [],
    traps: [],
    fds: s.fds,
    stack: [],
    status: 0,
    lastBackground: 0,
    errexit: false,
    nounset: false,
    trace: false,
    waiting: { w: 'ready' },
    pending: [],
    ...(s.session === undefined ? {} : { session: s.session }),
    shell: false,
    startedAt: m.around.now,
  }
  const variables = new Map(s.environment.map(([name, value]) => [name, { name, value, exported: true }]))
  m.running.set(pid, { proc, stack: [{ i: 'exec', argv: s.argv }], variables })
  return pid
}

export function commandExists(m: Machine, command: string, environment: ReadonlyMap<string, string>, cwd: string): boolean {
  if (command === '') return false
  if (
    m.around.hasTools &&
    isKnownCommand(baseName(command)) &&
    (!command.includes('/') || /^\/(usr\/)?s?bin\/|^\/(usr\/)?local\/bin\//.test(command))
  )
    return true
  if (m.around.program(command, [command], environment)) return true
  return command.includes('/') && lookup(m.around.view, normalisePath(command, cwd))?.type === 'file' && m.around.hasTools
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Runs everything that can run. */
export function run(m: Machine): void {
  for (let progress = true; progress; ) {
    progress = false
    for (const pid of [...m.running.keys()].sort((a, b) => a - b)) {
      const r = m.running.get(pid)
      if (!r || !canRun(m, r)) continue
      progress = true
      runProcess(m, r)
      if (m.exit) return
      if (m.budget <= 0) {
        for (const other of m.running.values())
          if (other.proc.waiting.w === 'ready')
            wait(other, { w: 'sleep', until: m.around.now + (m.busy >= PATIENCE ? LONG_SLICE_MS : SLICE_MS) })
        return
      }
    }
  }
}

/** Earliest virtual time at which a process wants to go on. */
export function nextWake(tree: ProcessTree): number | undefined {
  let next: number | undefined
  for (const p of tree.processes) if (p.waiting.w === 'sleep' && (next === undefined || p.waiting.until < next)) next = p.waiting.until
  return next
}

export const wait = (r: Running, waiting: Waiting): void => {
  r.proc = { ...r.proc, waiting }
}

function canRun(m: Machine, r: Running): boolean {
  const { waiting, pending } = r.proc
  switch (waiting.w) {
    case 'ready':
      return true
    case 'sleep':
      return waiting.until <= m.around.now
    case 'child':
      return waiting.pids.every((pid) => !m.running.has(pid)) || (pending.length > 0 && interruptible(r))
    case 'read':
      return readable(m, r, waiting.fd)
    case 'signal':
      return pending.length > 0
    default:
      return false
  }
}

function interruptible(r: Running): boolean {
  const top = r.stack.at(-1)
  return top?.i === 'wait-all' && top.interruptible === true
}

function readable(m: Machine, r: Running, fd: number): boolean {
  const f = fdOf(r.proc, fd)
  if (f?.k !== 'pipe') return true
  return (m.pipes.get(f.id)?.text ?? '') !== '' || !hasWriter(m, f.id)
}

export function hasWriter(m: Machine, pipe: number): boolean {
  for (const r of m.running.values()) if (r.proc.fds.some(([, fd]) => fd.k === 'pipe' && fd.id === pipe && fd.end === 'write')) return true
  return false
}

function hasReader(m: Machine, pipe: number): boolean {
  for (const r of m.running.values()) {
    if (r.proc.fds.some(([, fd]) => fd.k === 'pipe' && fd.id === pipe && fd.end === 'read')) return true
    if (r.stack.some((item) => item.i === 'capture' && item.pipe === pipe)) return true
  }
  return false
}

export const fdOf = (proc: Proc, n: number): Fd | undefined => proc.fds.find(([k]) => k === n)?.[1]

export function withFd(fds: Proc['fds'], n: number, fd: Fd | undefined): Proc['fds'] {
  const rest = fds.filter(([k]) => k !== n)
  return fd ? [...rest, [n, fd]] : rest
}

export function write(m: Machine, r: Running, n: number, text: string): void {
  if (text === '') return
  const fd = fdOf(r.proc, n)
  switch (fd?.k) {
    case 'log':
      m.around.log(fd.stream, text)
      return
    case 'exec':
      m.around.session(fd.session, fd.stream, text)
      return
    case 'pipe': {
      if (!hasReader(m, fd.id)) {
        terminate(m, r, 128 + (SIGNALS.PIPE as number))
        return
      }
      const pipe = m.pipes.get(fd.id) ?? { id: fd.id, text: '' }
      if (pipe.text.length < PIPE_LIMIT * 16) m.pipes.set(fd.id, { ...pipe, text: pipe.text + text })
      return
    }
    case 'file':
      writeFile(m.around.view, fd.path, text, { append: true, uid: r.proc.uid, gid: r.proc.gid })
  }
}

/** Everything there is to read now; `end`: nothing will follow. */
export function readAvailable(m: Machine, r: Running, n: number): { text: string; end: boolean } {
  const fd = fdOf(r.proc, n)
  switch (fd?.k) {
    case 'pipe': {
      const text = m.pipes.get(fd.id)?.text ?? ''
      if (text !== '') m.pipes.set(fd.id, { id: fd.id, text: '' })
      return { text, end: !hasWriter(m, fd.id) }
    }
    case 'file': {
      const text = readFile(m.around.view, fd.path).slice(fd.position)
      r.proc = { ...r.proc, fds: withFd(r.proc.fds, n, { ...fd, position: fd.position + text.length }) }
      return { text, end: true }
    }
    case 'text':
      r.proc = { ...r.proc, fds: withFd(r.proc.fds, n, { k: 'text', text: '' }) }
      return { text: fd.text, end: true }
    default:
      return { text: '', end: true }
  }
}

/** Puts back what a reader did not use. */
export function unread(m: Machine, r: Running, n: number, text: string): void {
  if (text === '') return
  const fd = fdOf(r.proc, n)
  if (fd?.k === 'pipe') m.pipes.set(fd.id, { id: fd.id, text: text + (m.pipes.get(fd.id)?.text ?? '') })
  else if (fd?.k === 'file') r.proc = { ...r.proc, fds: withFd(r.proc.fds, n, { ...fd, position: fd.position - text.length }) }
  else if (fd?.k === 'text') r.proc = { ...r.proc, fds: withFd(r.proc.fds, n, { k: 'text', text: text + fd.text }) }
}

export function environmentOf(r: Running): [string, string][] {
  return [...r.variables.values()].filter((v) => v.exported).map((v): [string, string] => [v.name, v.value])
}

export function setVariable(r: Running, name: string, value: string, exported?: boolean): void {
  r.variables.set(name, { name, value, exported: exported ?? r.variables.get(name)?.exported ?? false })
}

export const setStatus = (r: Running, status: number): void => {
  r.proc = { ...r.proc, status }
}

/** The process is over. */
export function terminate(m: Machine, r: Running, code: number): void {
  const { pid, session } = r.proc
  if (!m.running.delete(pid)) return
  if (pid === 1) {
    m.exit = { code }
    return
  }
  if (session !== undefined) m.sessionsEnded.set(session, code)
  else m.ended.set(pid, code)
  for (const other of m.running.values()) if (other.proc.parent === pid) other.proc = { ...other.proc, parent: 1 }
}

function runProcess(m: Machine, r: Running): void {
  wait(r, { w: 'ready' })
  while (m.running.get(r.proc.pid) === r && r.proc.waiting.w === 'ready') {
    if (r.proc.pending.length > 0 && deliverTrap(r)) continue
    const item = r.stack.pop()
    if (!item) {
      if (r.proc.shell && runExitTrap(r)) continue
      terminate(m, r, r.proc.status)
      return
    }
    if (--m.budget <= 0) {
      r.stack.push(item)
      return
    }
    try {
      execute(m, r, item)
    } catch (error) {
      if (error instanceof ExpansionFailure) {
        write(m, r, 2, `${shellName(r)}: ${error.message}\n`)
        setStatus(r, 2)
        r.stack = []
      } else if (error instanceof FileFailure) {
        write(m, r, 2, `${shellName(r)}: ${error.message}\n`)
        setStatus(r, 1)
      } else throw error
    }
  }
}

export const shellName = (r: Running): string => r.proc.name

function runExitTrap(r: Running): boolean {
  const action = r.proc.traps.find(([s]) => s === 'EXIT')?.[1]
  if (action === undefined) return false
  r.proc = { ...r.proc, traps: r.proc.traps.filter(([s]) => s !== 'EXIT') }
  r.stack.push({ i: 'trap-end', status: r.proc.status }, { i: 'text', text: action })
  return true
}

/** A signal with a trap interrupts `wait`, but not a command in the foreground (POSIX 2.11). */
function deliverTrap(r: Running): boolean {
  const [signal, ...rest] = r.proc.pending as [string, ...string[]]
  r.proc = { ...r.proc, pending: rest }
  const action = r.proc.traps.find(([s]) => s === signal)?.[1]
  if (action === undefined || action === '') return false
  if (interruptible(r)) {
    r.stack.pop()
    setStatus(r, 128 + (SIGNALS[signal] ?? 0))
  }
  r.stack.push({ i: 'trap-end', status: r.proc.status }, { i: 'text', text: action })
  return true
}

/** kill(2). True if the process was told (or ended). */
export function signal(m: Machine, pid: number, name: string): boolean {
  const r = m.running.get(pid)
  if (!r) return false
  if (name === 'KILL') {
    terminate(m, r, 137)
    return true
  }
  if (name === 'STOP' || name === 'CONT' || name === 'CHLD' || name === 'WINCH') return true
  const trap = r.proc.traps.find(([s]) => s === name)?.[1]
  if (trap === '') return true
  const { program } = r.proc
  if (program) {
    if (program.stopping) return true
    const effect = m.around.programSignal(program, name)
    if (effect === 'ignore') return true
    if (effect) {
      r.proc = { ...r.proc, program: { ...program, stopping: true } }
      r.stack = [{ i: 'exit', code: effect.code }]
      wait(r, { w: 'sleep', until: m.around.now + effect.afterMs })
      return true
    }
  }
  if (trap !== undefined) {
    r.proc = { ...r.proc, pending: [...r.proc.pending, name] }
    return true
  }
  // The first process of a namespace is not ended by a signal that it does not handle.
  if (pid === 1) return true
  terminate(m, r, 128 + (SIGNALS[name] ?? 0))
  return true
}

const item = {
  run: (node: Node): Item => ({ i: 'run', node }),
}

function execute(m: Machine, r: Running, it: Item): void {
  const { stack } = r
  switch (it.i) {
    case 'run':
      runNode(m, r, it.node)
      return
    case 'text': {
      const parsed = parseScript(it.text)
      if (parsed.ok) stack.push(item.run(parsed.node))
      else {
        write(m, r, 2, `${shellName(r)}: syntax error: ${parsed.error.message}\n`)
        setStatus(r, 2)
      }
      return
    }
    case 'and':
      if (r.proc.status === 0) stack.push(item.run(it.right))
      return
    case 'or':
      if (r.proc.status !== 0) stack.push(item.run(it.right))
      return
    case 'seq': {
      const next = it.node.items[it.at]
      if (!next) return
      if (it.at + 1 < it.node.items.length) stack.push({ ...it, at: it.at + 1 })
      if (next.background) {
        const pid = fork(m, r, next.node, withFd(r.proc.fds, 0, fdOf(r.proc, 0)?.k === 'pipe' ? { k: 'null' } : fdOf(r.proc, 0)))
        r.proc = { ...r.proc, lastBackground: pid, status: 0 }
      } else stack.push(item.run(next.node))
      return
    }
    case 'if': {
      if (r.proc.status === 0) {
        stack.push(item.run((it.node.branches[it.branch] as { then: Node }).then))
        return
      }
      const next = it.node.branches[it.branch + 1]
      if (next) stack.push({ ...it, branch: it.branch + 1 }, ...condition(r, next.when))
      else if (it.node.otherwise) stack.push(item.run(it.node.otherwise))
      else setStatus(r, 0)
      return
    }
    case 'loop-test':
      if ((r.proc.status === 0) === (it.node.t === 'while')) stack.push({ i: 'loop-body', node: it.node }, item.run(it.node.body))
      else {
        setStatus(r, 0)
        stack.push({ i: 'loop-end' })
      }
      return
    case 'loop-body':
      stack.push({ i: 'loop-test', node: it.node }, ...condition(r, it.node.when))
      return
    case 'for': {
      const word = it.words[it.at]
      if (word === undefined) {
        stack.push({ i: 'loop-end' })
        return
      }
      setVariable(r, it.node.name, word)
      stack.push({ ...it, at: it.at + 1 }, item.run(it.node.body))
      return
    }
    case 'loop-end':
      return
    case 'fds':
      r.proc = { ...r.proc, fds: it.fds }
      return
    case 'call-end':
      r.proc = { ...r.proc, params: it.params }
      return
    case 'capture':
      captured(m, r, it)
      return
    case 'expanded':
      runExpanded(m, r, it.node, it.outputs)
      return
    case 'exec':
      runProgram(m, r, it.argv, it.state)
      return
    case 'negate':
      setStatus(r, r.proc.status === 0 ? 1 : 0)
      return
    case 'wait-all': {
      if (it.pids.some((pid) => m.running.has(pid))) {
        stack.push(it)
        wait(r, { w: 'child', pids: it.pids })
        return
      }
      const last = it.pids.at(-1)
      if (last !== undefined) setStatus(r, m.ended.get(last) ?? 0)
      for (const pid of it.pids) m.ended.delete(pid)
      return
    }
    case 'assigned':
      for (const v of it.before) {
        if (v.value === undefined) r.variables.delete(v.name)
        else r.variables.set(v.name, v as Variable)
      }
      return
    case 'trap-end':
      setStatus(r, it.status)
      return
    case 'program': {
      const { program } = r.proc
      if (!program) return
      const step = m.around.programStep(program, new Map(environmentOf(r)))
      for (const w of step.writes) write(m, r, w.stream === 'stdout' ? 1 : 2, w.text)
      r.proc = { ...r.proc, program: { ...program, lines: step.lines } }
      if (step.exit !== undefined) {
        terminate(m, r, step.exit)
        return
      }
      stack.push(it)
      wait(r, step.next === undefined ? { w: 'signal' } : { w: 'sleep', until: step.next })
      return
    }
    case 'exit':
      terminate(m, r, it.code)
      return
    case 'errexit-off':
    case 'errexit-on':
      r.proc = { ...r.proc, errexit: it.i === 'errexit-on' }
      return
  }
}

/** A condition does not end the shell under `set -e`. */
function condition(r: Running, node: Node): Item[] {
  return r.proc.errexit ? [{ i: 'errexit-on' }, item.run(node), { i: 'errexit-off' }] : [item.run(node)]
}

/** A child process that runs a piece of the script. */
export function fork(m: Machine, r: Running, node: Node, fds: Proc['fds']): number {
  const pid = m.nextPid++
  const { session: _session, ...rest } = r.proc
  const proc: Proc = {
    ...rest,
    pid,
    parent: r.proc.pid,
    fds,
    stack: [],
    traps: r.proc.traps.filter(([, action]) => action === ''),
    pending: [],
    waiting: { w: 'ready' },
    startedAt: m.around.now,
    shell: true,
  }
  m.running.set(pid, { proc, stack: [item.run(node)], variables: new Map(r.variables) })
  return pid
}

function runNode(m: Machine, r: Running, node: Node): void {
  const { stack } = r
  switch (node.t) {
    case 'seq':
      if (node.items.length === 0) setStatus(r, 0)
      else stack.push({ i: 'seq', node, at: 0 })
      return
    case 'and':
    case 'or':
      stack.push({ i: node.t, right: node.right }, ...condition(r, node.left))
      return
    case 'pipe': {
      if (node.negated) stack.push({ i: 'negate' })
      if (node.parts.length === 1) {
        stack.push(...condition(r, node.parts[0] as Node))
        return
      }
      const pids: number[] = []
      let input: Fd | undefined = fdOf(r.proc, 0)
      node.parts.forEach((part, i) => {
        let output = fdOf(r.proc, 1)
        let next: Fd | undefined
        if (i < node.parts.length - 1) {
          const id = m.nextPipe++
          m.pipes.set(id, { id, text: '' })
          output = { k: 'pipe', id, end: 'write' }
          next = { k: 'pipe', id, end: 'read' }
        }
        pids.push(fork(m, r, part, withFd(withFd(r.proc.fds, 0, input), 1, output)))
        input = next
      })
      stack.push({ i: 'wait-all', pids })
      return
    }
    case 'function':
      r.proc = { ...r.proc, functions: [...r.proc.functions.filter(([name]) => name !== node.name), [node.name, node.body]], status: 0 }
      return
    case 'if':
    case 'while':
    case 'until':
    case 'for':
    case 'case':
    case 'subshell':
    case 'group':
    case 'simple': {
      const words = wordsOf(node)
      const commands = substitutionsIn(words)
      if (commands.length === 0) {
        runExpanded(m, r, node, [])
        return
      }
      startCapture(m, r, node, commands, [])
    }
  }
}

function wordsOf(node: Node): Word[] {
  switch (node.t) {
    case 'simple':
      return [...node.assigns.map(([, word]) => word), ...node.words, ...node.redirects.map((x) => x.target)]
    case 'for':
      return [...(node.words ?? []), ...node.redirects.map((x) => x.target)]
    case 'case':
      return [node.word, ...node.items.flatMap((x) => x.patterns), ...node.redirects.map((x) => x.target)]
    case 'if':
    case 'while':
    case 'until':
    case 'subshell':
    case 'group':
      return node.redirects.map((x) => x.target)
    default:
      return []
  }
}

function startCapture(m: Machine, r: Running, node: Node, left: readonly Node[], outputs: readonly string[]): void {
  const [command, ...rest] = left as [Node, ...Node[]]
  const id = m.nextPipe++
  m.pipes.set(id, { id, text: '' })
  const pid = fork(m, r, command, withFd(r.proc.fds, 1, { k: 'pipe', id, end: 'write' }))
  r.stack.push({ i: 'capture', node, pipe: id, pid, outputs, left: rest })
  wait(r, { w: 'child', pids: [pid] })
}

function captured(m: Machine, r: Running, it: Extract<Item, { i: 'capture' }>): void {
  if (m.running.has(it.pid) || hasWriter(m, it.pipe)) {
    r.stack.push(it)
    const writers = [...m.running.values()]
      .filter((x) => x.proc.fds.some(([, fd]) => fd.k === 'pipe' && fd.id === it.pipe && fd.end === 'write'))
      .map((x) => x.proc.pid)
    wait(r, { w: 'child', pids: [it.pid, ...writers].filter((pid) => pid !== r.proc.pid) })
    return
  }
  const outputs = [...it.outputs, m.pipes.get(it.pipe)?.text ?? '']
  m.pipes.delete(it.pipe)
  setStatus(r, m.ended.get(it.pid) ?? 0)
  m.ended.delete(it.pid)
  if (it.left.length > 0) startCapture(m, r, it.node, it.left, outputs)
  else r.stack.push({ i: 'expanded', node: it.node, outputs })
}

function expanderOf(m: Machine, r: Running, outputs: readonly string[]): Expander {
  return createExpander({
    variables: {
      get: (name) => (name === 'PWD' ? (r.variables.get(name)?.value ?? r.proc.cwd) : r.variables.get(name)?.value),
      set: (name, value) => setVariable(r, name, value),
    },
    params: r.proc.params,
    shellName: r.proc.name,
    status: r.proc.status,
    pid: r.proc.pid,
    lastBackground: r.proc.lastBackground,
    nounset: r.proc.nounset,
    flags: `${r.proc.errexit ? 'e' : ''}${r.proc.nounset ? 'u' : ''}${r.proc.trace ? 'x' : ''}`,
    view: m.around.view,
    cwd: r.proc.cwd,
    outputs,
  })
}

/** Opens the redirections; undefined if one failed (the message is written). */
function redirected(m: Machine, r: Running, redirects: readonly Redirect[], x: Expander): Proc['fds'] | undefined {
  let fds = r.proc.fds
  for (const redirect of redirects) {
    const target = redirect.op === '<<' ? '' : x.text(redirect.target)
    if (redirect.op === '<<') {
      fds = withFd(fds, redirect.fd, { k: 'text', text: x.text(redirect.target) })
      continue
    }
    if (redirect.op === '>&' || redirect.op === '<&') {
      fds = withFd(fds, redirect.fd, target === '-' ? undefined : fds.find(([n]) => n === Number(target))?.[1])
      continue
    }
    const path = normalisePath(target, r.proc.cwd)
    const special = specialFile(path, fds)
    if (special) {
      fds = withFd(fds, redirect.fd, special)
      continue
    }
    try {
      if (redirect.op === '<') {
        readFile(m.around.view, path)
        fds = withFd(fds, redirect.fd, { k: 'file', path, position: 0 })
      } else {
        if (redirect.op !== '>>' && redirect.op !== '<>') writeFile(m.around.view, path, '', { uid: r.proc.uid, gid: r.proc.gid })
        else if (!lookup(m.around.view, path)) writeFile(m.around.view, path, '', { uid: r.proc.uid, gid: r.proc.gid })
        fds = withFd(fds, redirect.fd, { k: 'file', path, position: 0 })
      }
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      const missing =
        error.code === 'ENOENT' && redirect.op !== '<' ? 'nonexistent directory' : error.code === 'ENOENT' ? 'no such file' : error.message
      const saved = r.proc.fds
      r.proc = { ...r.proc, fds }
      write(m, r, 2, `${shellName(r)}: can't ${redirect.op === '<' ? 'open' : 'create'} ${target}: ${missing}\n`)
      r.proc = { ...r.proc, fds: saved }
      return undefined
    }
  }
  return fds
}

export function specialFile(path: string, fds: Proc['fds']): Fd | undefined {
  const own = (n: number): Fd | undefined => fds.find(([k]) => k === n)?.[1]
  switch (path) {
    case '/dev/null':
    case '/dev/zero':
    case '/dev/full':
      return { k: 'null' }
    case '/dev/stdin':
    case '/dev/fd/0':
      return own(0) ?? { k: 'null' }
    case '/dev/stdout':
    case '/dev/fd/1':
    case '/proc/self/fd/1':
      return own(1) ?? { k: 'null' }
    case '/dev/stderr':
    case '/dev/fd/2':
    case '/proc/self/fd/2':
      return own(2) ?? { k: 'null' }
    case '/proc/1/fd/1':
      return { k: 'log', stream: 'stdout' }
    case '/proc/1/fd/2':
      return { k: 'log', stream: 'stderr' }
    case '/dev/tty':
      return { k: 'null' }
  }
  return undefined
}

function runExpanded(m: Machine, r: Running, node: Node, outputs: readonly string[]): void {
  const x = expanderOf(m, r, outputs)
  const { stack } = r
  if (node.t === 'simple') {
    runSimple(m, r, node, x)
    return
  }
  if (node.t === 'subshell') {
    const fds = redirected(m, r, node.redirects, x)
    if (!fds) return setStatus(r, 1)
    stack.push({ i: 'wait-all', pids: [fork(m, r, node.body, fds)] })
    return
  }
  const redirects = 'redirects' in node ? node.redirects : []
  if (redirects.length > 0) {
    const fds = redirected(m, r, redirects, x)
    if (!fds) return setStatus(r, 1)
    stack.push({ i: 'fds', fds: r.proc.fds })
    r.proc = { ...r.proc, fds }
  }
  switch (node.t) {
    case 'group':
      stack.push(item.run(node.body))
      return
    case 'if':
      stack.push({ i: 'if', node, branch: 0 }, ...condition(r, (node.branches[0] as { when: Node }).when))
      return
    case 'while':
    case 'until':
      stack.push({ i: 'loop-test', node }, ...condition(r, node.when))
      return
    case 'for':
      setStatus(r, 0)
      stack.push({ i: 'for', node, words: node.words ? x.fields(node.words) : r.proc.params, at: 0 })
      return
    case 'case': {
      const subject = x.text(node.word)
      setStatus(r, 0)
      for (const choice of node.items)
        for (const pattern of choice.patterns)
          if (new RegExp(`^(?:${x.pattern(pattern)})$`).test(subject)) {
            stack.push(item.run(choice.body))
            return
          }
    }
  }
}

function runSimple(m: Machine, r: Running, node: Extract<Node, { t: 'simple' }>, x: Expander): void {
  const substituted = substitutionsIn(wordsOf(node)).length > 0
  const assigned = node.assigns.map(([name, word]): [string, string] => [name, x.text(word)])
  const argv = x.fields(node.words)
  const fds = node.redirects.length > 0 ? redirected(m, r, node.redirects, x) : r.proc.fds
  if (!fds) {
    setStatus(r, 1)
    failed(r)
    return
  }
  if (argv.length === 0) {
    for (const [name, value] of assigned) setVariable(r, name, value)
    if (!substituted) setStatus(r, 0)
    failed(r)
    return
  }
  if (r.proc.trace) write(m, r, 2, `+ ${[...assigned.map(([n, v]) => `${n}=${v}`), ...argv].join(' ')}\n`)
  const command = argv[0] as string
  if (command === 'exec' && argv.length === 1) {
    r.proc = { ...r.proc, fds, status: 0 }
    return
  }
  if (fds !== r.proc.fds) {
    r.stack.push({ i: 'fds', fds: r.proc.fds })
    r.proc = { ...r.proc, fds }
  }
  if (assigned.length > 0) {
    r.stack.push({ i: 'assigned', before: assigned.map(([name]) => r.variables.get(name) ?? { name, value: undefined }) })
    for (const [name, value] of assigned) setVariable(r, name, value, true)
  }
  const fn = r.proc.functions.find(([name]) => name === command)?.[1]
  if (fn) {
    r.stack.push({ i: 'call-end', params: r.proc.params }, item.run(fn))
    r.proc = { ...r.proc, params: argv.slice(1) }
    return
  }
  runProgram(m, r, argv, undefined)
}

/** A builtin, a tool, a program of the image or a script, in the present process. */
function runProgram(m: Machine, r: Running, argv: readonly string[], state: unknown): void {
  const command = argv[0] as string
  const outcome = runBuiltin(m, r, argv, state)
  if (outcome !== undefined) {
    settle(m, r, outcome)
    return
  }
  const own = r.stack.length === 0 && !r.proc.shell
  const environment = new Map(environmentOf(r))
  const started = m.around.program(command, argv, environment)
  if (started) {
    if (started.kind === 'exit') {
      write(m, r, 1, started.stdout ?? '')
      write(m, r, 2, started.stderr ?? '')
      settle(m, r, started.code)
      return
    }
    const program = { name: started.name, since: m.around.now, lines: 0 }
    if (own) {
      r.proc = { ...r.proc, argv, program }
      r.stack = [{ i: 'program' }]
      return
    }
    const pid = m.nextPid++
    const { session: _session, ...rest } = r.proc
    m.running.set(pid, {
      proc: {
        ...rest,
        pid,
        parent: r.proc.pid,
        argv,
        program,
        waiting: { w: 'ready' },
        shell: false,
        traps: [],
        pending: [],
        startedAt: m.around.now,
      },
      stack: [{ i: 'program' }],
      variables: new Map(r.variables),
    })
    r.stack.push({ i: 'wait-all', pids: [pid] })
    return
  }
  const applet = m.around.hasTools ? findApplet(baseName(command)) : undefined
  if (applet) {
    let outcome2: Outcome
    try {
      outcome2 = applet(m, r, argv, state)
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      write(m, r, 2, `${baseName(command)}: ${error.message}\n`)
      outcome2 = 1
    }
    settle(m, r, outcome2, argv)
    return
  }
  if (command.includes('/')) {
    const path = normalisePath(command, r.proc.cwd)
    const node = lookup(m.around.view, path)
    if (node?.type === 'file') {
      if ((node.mode & 0o111) === 0) {
        write(m, r, 2, `${shellName(r)}: ${command}: Permission denied\n`)
        settle(m, r, 126)
        return
      }
      runProgram(m, r, ['sh', path, ...argv.slice(1)], undefined)
      return
    }
  }
  write(m, r, 2, `${shellName(r)}: ${command}: not found\n`)
  settle(m, r, 127)
}

/** An exit status, or how the command waits: its state comes back when it can go on. */
export type Outcome = number | { readonly wait: Waiting; readonly state: unknown } | { readonly done: true }

function settle(m: Machine, r: Running, outcome: Outcome, argv: readonly string[] = []): void {
  if (typeof outcome === 'number') {
    if (m.running.get(r.proc.pid) !== r) return
    setStatus(r, outcome)
    failed(r)
  } else if ('wait' in outcome) {
    r.stack.push({ i: 'exec', argv, state: outcome.state ?? null })
    wait(r, outcome.wait)
  }
}

/** `set -e`. */
function failed(r: Running): void {
  if (r.proc.status !== 0 && r.proc.errexit) r.stack = []
}
