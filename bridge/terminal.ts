// A terminal in front of a container's shell: edits a line, runs it as a command of its own, remembers the directory and plain assignments.
import type { HttpResponse } from '../src/sim/api/http.ts'
import type { ExecResult } from './exec.ts'

export interface TerminalOptions {
  write(text: string): void
  /** Runs a script in the container; `result` is missing when it could not be run. */
  run(script: string, done: (result: ExecResult | undefined, response: HttpResponse) => void): void
  end(response: HttpResponse): void
}

const SHELLS = /^(\/bin\/|\/usr\/bin\/)?(sh|bash|ash|dash)$/
/** A shell without a script. */
export const isShell = (command: readonly string[]): boolean =>
  SHELLS.test(command[0] ?? '') && command.slice(1).every((word) => word === '-i' || word === '-l')

const MARK = '\x1e'
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const crlf = (text: string): string => text.replace(/\r?\n/g, '\r\n')

export function openTerminal(options: TerminalOptions): { input(text: string): void } {
  let line = ''
  let directory = ''
  let status = 0
  let busy = false
  let ended = false
  let waiting = ''
  const assignments: string[] = []
  const prompt = (): void => options.write(`${directory || '/'} # `)
  const end = (): void => {
    ended = true
    options.end({ status: 200, headers: {}, body: { stdout: '', stderr: '', exitCode: status } satisfies ExecResult })
  }
  const run = (text: string, silent: boolean): void => {
    busy = true
    const script = [
      directory === '' ? '' : `cd ${quote(directory)}`,
      ...assignments,
      text,
      'orrery_status=$?',
      `printf '\\036%s' "$PWD"`,
      'exit $orrery_status',
    ]
      .filter((l) => l !== '')
      .join('\n')
    options.run(script, (result, response) => {
      busy = false
      if (!result) {
        ended = true
        options.end(response)
        return
      }
      const at = result.stdout.lastIndexOf(MARK)
      if (!silent) options.write(crlf((at < 0 ? result.stdout : result.stdout.slice(0, at)) + result.stderr))
      if (at >= 0) directory = result.stdout.slice(at + 1)
      status = result.exitCode
      if (/^\s*(export\s+)?[A-Za-z_]\w*=\S*\s*$/.test(text)) assignments.push(text)
      prompt()
      const more = waiting
      waiting = ''
      take(more)
    })
  }
  const enter = (): void => {
    const text = line.trim()
    line = ''
    options.write('\r\n')
    const exit = /^exit(?:\s+(\d+))?$/.exec(text)
    if (exit) {
      if (exit[1] !== undefined) status = Number(exit[1]) & 0xff
      end()
    } else if (text === '') prompt()
    else run(text, false)
  }
  const take = (text: string): void => {
    for (let i = 0; i < text.length; i++) {
      if (ended) return
      if (busy) {
        waiting += text.slice(i)
        return
      }
      const c = text[i] as string
      if (c === '\r' || c === '\n') enter()
      else if (c === '\x04') {
        if (line === '') end()
      } else if (c === '\x03') {
        line = ''
        options.write('^C\r\n')
        prompt()
      } else if (c === '\x7f' || c === '\b') {
        if (line !== '') {
          line = line.slice(0, -1)
          options.write('\b \b')
        }
      } else if (c >= ' ') {
        line += c
        options.write(c)
      }
    }
  }
  run(':', true)
  return { input: take }
}
