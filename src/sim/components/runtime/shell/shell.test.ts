import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StateTable } from '../../../engine/table.ts'
import type { FileNode, FileView } from '../filesystem.ts'
import { closeMachine, emptyTree, nextWake, openMachine, run, signal, spawn, type Surroundings } from './machine.ts'
import type { ProcessTree } from './process.ts'

interface Outcome {
  readonly out: string
  readonly err: string
  readonly code: number | undefined
  readonly endedAt: number
}

const DIRECTORIES = ['/bin', '/etc', '/tmp', '/data']

/** Runs a script as a container's first process until it ends or `limitMs` is reached; between any two runs its state is plain data. */
function script(
  text: string,
  options: { limitMs?: number; signals?: readonly (readonly [number, string])[]; env?: readonly (readonly [string, string])[] } = {},
): Outcome {
  const files = new StateTable<FileNode>('files', () => undefined)
  const image = new Map<string, FileNode>(DIRECTORIES.map((d) => [d, { type: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: 0 }]))
  let out = ''
  let err = ''
  let tree: ProcessTree = emptyTree('c')
  let now = 0
  let code: number | undefined
  const around = (): Surroundings => ({
    now,
    view: {
      files,
      layer: 'c',
      image,
      mounts: [{ path: '/ro', layer: 'v', sub: '', readOnly: true }],
      readOnlyRoot: false,
      now,
    } satisfies FileView,
    log: (stream, piece) => {
      if (stream === 'stdout') out += piece
      else err += piece
    },
    session: () => undefined,
    program: () => undefined,
    programStep: () => ({ writes: [], lines: 0 }),
    programSignal: () => undefined,
    hasTools: true,
    hostname: () => 'box',
    connect: () => 0,
    random: () => 0.5,
  })
  const turn = (act: (m: ReturnType<typeof openMachine>) => void): void => {
    const m = openMachine(JSON.parse(JSON.stringify(tree)) as ProcessTree, around())
    act(m)
    if (!m.exit) run(m)
    if (m.exit) code = m.exit.code
    else tree = closeMachine(m)
  }
  turn((m) =>
    spawn(m, {
      parent: 0,
      argv: ['sh', '-c', text],
      cwd: '/',
      uid: 0,
      gid: 0,
      environment: options.env ?? [['PATH', '/bin']],
      fds: [
        [0, { k: 'null' }],
        [1, { k: 'log', stream: 'stdout' }],
        [2, { k: 'log', stream: 'stderr' }],
      ],
    }),
  )
  const signals = [...(options.signals ?? [])]
  while (code === undefined) {
    const wake = nextWake(tree)
    const due = signals[0]
    if (due && (wake === undefined || due[0] <= wake)) {
      now = due[0]
      signals.shift()
      turn((m) => signal(m, 1, due[1]))
    } else if (wake !== undefined && wake <= (options.limitMs ?? 60_000)) {
      now = wake
      turn(() => undefined)
    } else break
  }
  return { out, err, code, endedAt: now }
}

describe('a shell script', () => {
  it.each([
    ['echo hello world', 'hello world\n'],
    ['x=abc; echo "${x:-def} ${y:-def} ${#x} ${x%c} ${x#a}"', 'abc def 3 ab bc\n'],
    ['f() { echo "in f $1"; return 3; }; f hi; echo $?', 'in f hi\n3\n'],
    ['i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done', '1\n2\n3\n'],
    ['for f in a b c; do [ $f = b ] && continue; echo $f; done', 'a\nc\n'],
    ['case abc in a*) echo A;; *) echo other;; esac', 'A\n'],
    ['echo one > /tmp/a; echo two >> /tmp/a; wc -l < /tmp/a; head -n 1 /tmp/a', '2\none\n'],
    ['echo "b\na" | sort | tr a-z A-Z', 'A\nB\n'],
    ['n=$(cat /data/n 2>/dev/null || echo 0); echo $((n+1))', '1\n'],
    ['(cd /tmp; pwd); pwd', '/tmp\n/\n'],
    ['echo "$(echo nested $(echo deep))"', 'nested deep\n'],
    ['set -- a "b c" d; for w in "$@"; do echo "<$w>"; done', '<a>\n<b c>\n<d>\n'],
    ['while read -r l; do echo "got $l"; done <<EOF\none\ntwo\nEOF', 'got one\ngot two\n'],
    ["echo 'a.b' | grep -o '[^.]*' | sed 's/^/-/'", '-a\n-b\n'],
    ['false || { echo a; } && echo b', 'a\nb\n'],
    ['sleep 1 & sleep 2 & wait; echo both', 'both\n'],
  ])('%s', (text, expected) => {
    expect(script(text)).toMatchObject({ out: expected, code: 0 })
  })

  it('ends with the code of its last command, of exit, or 127 for a command that is not there', () => {
    expect(script('exit 7').code).toBe(7)
    expect(script('true; false').code).toBe(1)
    expect(script('nosuchcommand')).toMatchObject({ code: 127, err: 'sh: nosuchcommand: not found\n' })
    expect(script('set -e; false; echo never')).toMatchObject({ code: 1, out: '' })
  })

  it('sleeps in virtual time', () => {
    expect(script('sleep 3; echo done; sleep 0.5')).toMatchObject({ out: 'done\n', endedAt: 3500 })
  })

  it('is not ended by SIGTERM as the first process, unless a trap says so', () => {
    expect(script('sleep 600', { signals: [[1000, 'TERM']], limitMs: 10_000 }).code).toBeUndefined()
    expect(script('sleep 600', { signals: [[1000, 'KILL']] })).toMatchObject({ code: 137, endedAt: 1000 })
    expect(script('trap "echo bye; exit 3" TERM; sleep 600 & wait', { signals: [[1000, 'TERM']] })).toMatchObject({
      code: 3,
      out: 'bye\n',
      endedAt: 1000,
    })
  })

  it('runs a trap only after the command in the foreground', () => {
    expect(script('trap "exit 3" TERM; sleep 5; echo never', { signals: [[1000, 'TERM']] })).toMatchObject({
      code: 3,
      out: '',
      endedAt: 5000,
    })
  })

  it('cannot write to a read-only volume', () => {
    expect(script('echo x > /ro/new').err).toContain("can't create /ro/new: Read-only file system")
  })

  it('gives way when it loops for ever', () => {
    expect(script('while :; do :; done', { limitMs: 5000 })).toMatchObject({ code: undefined })
  })

  it('hands on any text unchanged through variables, pipes and files', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc $*?"\\`;|&<>(){}[]#~!\t/'), maxLength: 20 })
    fc.assert(
      fc.property(word, (text) => {
        expect(script('printf "%s" "$X" > /tmp/f; cat /tmp/f | cat', { env: [['X', text]] }).out).toBe(text)
      }),
      { numRuns: 100 },
    )
  })
})
