// Processes of a container as plain data: what runs, what it waits for, and what is left to do.
import type { Node, Redirect } from './ast.ts'

export type Fd =
  /** The container's standard output or error, as containerd's log sees it. */
  | { readonly k: 'log'; readonly stream: 'stdout' | 'stderr' }
  /** The streams of an exec session. */
  | { readonly k: 'exec'; readonly session: string; readonly stream: 'stdout' | 'stderr' }
  | { readonly k: 'pipe'; readonly id: number; readonly end: 'read' | 'write' }
  /** `position` of readers; writers append or have truncated at open. */
  | { readonly k: 'file'; readonly path: string; readonly position: number }
  | { readonly k: 'text'; readonly text: string }
  | { readonly k: 'null' }

export interface Variable {
  readonly name: string
  readonly value: string
  readonly exported: boolean
}

/** What a process has still to do: a stack, the last item is next. */
export type Item =
  | { readonly i: 'run'; readonly node: Node }
  | { readonly i: 'text'; readonly text: string }
  | { readonly i: 'and' | 'or'; readonly right: Node }
  | { readonly i: 'seq'; readonly node: Extract<Node, { t: 'seq' }>; readonly at: number }
  | { readonly i: 'if'; readonly node: Extract<Node, { t: 'if' }>; readonly branch: number }
  | { readonly i: 'loop-test'; readonly node: Extract<Node, { t: 'while' | 'until' }> }
  | { readonly i: 'loop-body'; readonly node: Extract<Node, { t: 'while' | 'until' }> }
  | { readonly i: 'for'; readonly node: Extract<Node, { t: 'for' }>; readonly words: readonly string[]; readonly at: number }
  | { readonly i: 'loop-end' }
  | { readonly i: 'fds'; readonly fds: readonly (readonly [number, Fd])[] }
  | { readonly i: 'call-end'; readonly params: readonly string[] }
  | { readonly i: 'expanded'; readonly node: Node; readonly outputs: readonly string[] }
  | {
      readonly i: 'capture'
      readonly node: Node
      readonly pipe: number
      readonly pid: number
      readonly outputs: readonly string[]
      readonly left: readonly Node[]
    }
  | { readonly i: 'exec'; readonly argv: readonly string[]; readonly state?: unknown }
  | { readonly i: 'negate' }
  /** `interruptible`: the wait builtin, which a trap ends. */
  | { readonly i: 'wait-all'; readonly pids: readonly number[]; readonly interruptible?: true }
  | { readonly i: 'program' }
  | { readonly i: 'exit'; readonly code: number }
  | { readonly i: 'assigned'; readonly before: readonly (Variable | { readonly name: string; readonly value: undefined })[] }
  | { readonly i: 'trap-end'; readonly status: number }
  | { readonly i: 'errexit-off' | 'errexit-on' }

export type Waiting =
  | { readonly w: 'ready' }
  | { readonly w: 'sleep'; readonly until: number }
  | { readonly w: 'child'; readonly pids: readonly number[] }
  | { readonly w: 'read'; readonly fd: number }
  /** Until a signal. */
  | { readonly w: 'signal' }
  | { readonly w: 'network'; readonly call: number }

export interface Proc {
  readonly pid: number
  readonly parent: number
  /** What `ps` shows. */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly variables: readonly Variable[]
  readonly functions: readonly (readonly [string, Node])[]
  readonly name: string
  readonly params: readonly string[]
  readonly traps: readonly (readonly [string, string])[]
  readonly fds: readonly (readonly [number, Fd])[]
  readonly stack: readonly Item[]
  readonly status: number
  readonly lastBackground: number
  readonly errexit: boolean
  readonly nounset: boolean
  readonly trace: boolean
  readonly waiting: Waiting
  readonly pending: readonly string[]
  /** An exec session whose main process this is. */
  readonly session?: string
  /** A program of the image (see images/): when it began and where it stands. */
  readonly program?: { readonly name: string; readonly since: number; readonly lines: number; readonly stopping?: true }
  readonly shell: boolean
  readonly startedAt: number
}

export interface Pipe {
  readonly id: number
  readonly text: string
}

/** All processes of one container. */
export interface ProcessTree {
  readonly container: string
  readonly processes: readonly Proc[]
  readonly pipes: readonly Pipe[]
  readonly ended: readonly (readonly [number, number])[]
  readonly nextPid: number
  readonly nextPipe: number
  /** How often in a row it ran until it was stopped. */
  readonly busy: number
}

export const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  WINCH: 28,
}

/** `15`, `TERM`, `SIGTERM` → `TERM`. */
export function signalName(text: string): string | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (name === 'EXIT' || name === '0') return 'EXIT'
  if (Object.hasOwn(SIGNALS, name)) return name
  return Object.keys(SIGNALS).find((s) => SIGNALS[s] === Number(text))
}

export type { Redirect }
