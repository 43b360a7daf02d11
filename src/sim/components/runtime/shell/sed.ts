// sed(1): addresses, s y p d q = a i c n, -n -e -E -i.
import { FileFailure, normalisePath, readFile, writeFile } from '../filesystem.ts'
import { openText } from './applets.ts'
import { type Machine, type Outcome, readAvailable, type Running, write } from './machine.ts'
import { posixRegex } from './pattern.ts'

interface Address {
  readonly line?: number
  readonly last?: boolean
  readonly regex?: RegExp
}

interface Command {
  readonly from?: Address
  readonly to?: Address
  readonly negated: boolean
  readonly letter: string
  readonly regex?: RegExp
  readonly text?: string
  readonly flags?: string
}

export function runSed(m: Machine, r: Running, args: readonly string[], state: unknown): Outcome {
  const scripts: string[] = []
  const names: string[] = []
  let quiet = false
  let extended = false
  let inPlace = false
  for (let i = 0; i < args.length; i++) {
    const a = args[i] as string
    if (a === '-e') scripts.push(args[++i] ?? '')
    else if (a === '-f') scripts.push(openText(m, r, args[++i] ?? ''))
    else if (/^-[nErsi]+$/.test(a)) {
      quiet ||= a.includes('n')
      extended ||= /[Er]/.test(a)
      inPlace ||= a.includes('i')
    } else names.push(a)
  }
  if (scripts.length === 0) scripts.push(names.shift() ?? '')
  const commands = parse(scripts.join('\n'), extended)
  if (typeof commands === 'string') {
    write(m, r, 2, `sed: ${commands}\n`)
    return 1
  }
  let status = 0
  if (names.length === 0) {
    const got = readAvailable(m, r, 0)
    const text = (typeof state === 'string' ? state : '') + got.text
    if (!got.end) return { wait: { w: 'read', fd: 0 }, state: text }
    write(m, r, 1, edit(text, commands, quiet))
    return 0
  }
  for (const name of names) {
    try {
      const path = normalisePath(name, r.proc.cwd)
      const out = edit(readFile(m.around.view, path), commands, quiet)
      if (inPlace) writeFile(m.around.view, path, out)
      else write(m, r, 1, out)
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      write(m, r, 2, `sed: ${name}: ${error.message}\n`)
      status = 1
    }
  }
  return status
}

function parse(script: string, extended: boolean): Command[] | string {
  const commands: Command[] = []
  let i = 0
  const delimited = (end: string): string => {
    let out = ''
    while (i < script.length && script[i] !== end) {
      if (script[i] === '\\' && i + 1 < script.length) {
        if (script[i + 1] === end) {
          out += end
          i += 2
          continue
        }
        out += script[i]
        i++
      }
      out += script[i]
      i++
    }
    i++
    return out
  }
  const address = (): Address | undefined => {
    const number = /^\d+/.exec(script.slice(i))
    if (number) {
      i += number[0].length
      return { line: Number(number[0]) }
    }
    if (script[i] === '$') {
      i++
      return { last: true }
    }
    if (script[i] === '/') {
      i++
      const regex = posixRegex(delimited('/'), extended)
      return regex ? { regex } : {}
    }
    return undefined
  }
  const space = (): void => {
    while (i < script.length && /[ \t]/.test(script[i] as string)) i++
  }
  while (i < script.length) {
    while (i < script.length && /[\s;}]/.test(script[i] as string)) i++
    if (i >= script.length) break
    const from = address()
    space()
    let to: Address | undefined
    if (from && script[i] === ',') {
      i++
      space()
      to = address()
    }
    space()
    let negated = false
    if (script[i] === '!') {
      negated = true
      i++
      space()
    }
    const letter = script[i++] ?? ''
    const base = { ...(from ? { from } : {}), ...(to ? { to } : {}), negated, letter }
    if (letter === '{') continue
    if (letter === 's' || letter === 'y') {
      const end = script[i++] ?? '/'
      const first = delimited(end)
      const text = delimited(end)
      const flags = /^[gpiI0-9]*/.exec(script.slice(i))?.[0] ?? ''
      i += flags.length
      if (letter === 'y') commands.push({ ...base, text: `${first}\n${text}` })
      else {
        const regex = posixRegex(first, extended, `${flags.includes('g') ? 'g' : ''}${/[iI]/.test(flags) ? 'i' : ''}`)
        if (!regex) return `bad regex '${first}'`
        commands.push({ ...base, regex, text, flags })
      }
    } else if (letter === 'a' || letter === 'i' || letter === 'c') {
      const end = script.indexOf('\n', i)
      const text = script.slice(i, end < 0 ? undefined : end).replace(/^\s*\\?\s*/, '')
      i = end < 0 ? script.length : end
      commands.push({ ...base, text })
    } else if ('pdqnlDNPhHgGx='.includes(letter)) commands.push(base)
    else return `unsupported command ${letter}`
  }
  return commands
}

const replacement = (template: string, groups: readonly string[]): string =>
  template.replace(/\\([0-9&nt\\/])|&/g, (whole, c: string | undefined) => {
    if (whole === '&') return groups[0] ?? ''
    if (c === 'n') return '\n'
    if (c === 't') return '\t'
    return /\d/.test(c ?? '') ? (groups[Number(c)] ?? '') : (c ?? '')
  })

function edit(text: string, commands: readonly Command[], quiet: boolean): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const active = new Set<number>()
  let out = ''
  let hold = ''
  for (let n = 1; n <= lines.length; n++) {
    let line = lines[n - 1] as string
    let removed = false
    let after = ''
    let quit = false
    const at = (a: Address): boolean =>
      a.line !== undefined ? a.line === n : a.last ? n === lines.length : a.regex ? a.regex.test(line) : false
    for (const [index, c] of commands.entries()) {
      let selected = true
      if (c.from && c.to) {
        if (active.has(index)) {
          if (at(c.to) || (c.to.line !== undefined && c.to.line <= n)) active.delete(index)
        } else if (at(c.from)) {
          if (!(c.to.line !== undefined && c.to.line <= n)) active.add(index)
        } else selected = false
      } else if (c.from) selected = at(c.from)
      if (selected === c.negated) continue
      switch (c.letter) {
        case 's': {
          const regex = c.regex as RegExp
          regex.lastIndex = 0
          let changed = false
          const only = Number(/\d+/.exec(c.flags ?? '')?.[0] ?? 0)
          let seen = 0
          const source = only > 0 ? new RegExp(regex.source, regex.flags.includes('g') ? regex.flags : `${regex.flags}g`) : regex
          line = line.replace(source, (...args: unknown[]) => {
            seen++
            const groups = args.slice(
              0,
              args.findIndex((x) => typeof x === 'number'),
            ) as string[]
            if (only > 0 && seen !== only) return groups[0] as string
            changed = true
            return replacement(c.text ?? '', groups)
          })
          if (changed && c.flags?.includes('p')) out += `${line}\n`
          break
        }
        case 'y': {
          const [from = '', to = ''] = (c.text ?? '').split('\n')
          line = [...line].map((x) => (from.includes(x) ? (to[from.indexOf(x)] ?? x) : x)).join('')
          break
        }
        case 'p':
          out += `${line}\n`
          break
        case '=':
          out += `${n}\n`
          break
        case 'd':
          removed = true
          break
        case 'q':
          quit = true
          break
        case 'a':
          after += `${c.text}\n`
          break
        case 'i':
          out += `${c.text}\n`
          break
        case 'c':
          out += `${c.text}\n`
          removed = true
          break
        case 'n':
          if (!quiet) out += `${line}\n`
          if (n < lines.length) line = lines[n++] as string
          else quit = true
          break
        case 'h':
          hold = line
          break
        case 'g':
          line = hold
          break
        case 'x':
          ;[line, hold] = [hold, line]
          break
      }
      if (removed || quit) break
    }
    if (!removed && !quiet) out += `${line}\n`
    out += after
    if (quit) break
  }
  return out
}
