// Tools that read text and write text. Those marked as streams pass lines on as they come; the others wait for the end of their input.
import { FileFailure, normalisePath, writeFile } from '../filesystem.ts'
import type { Applet } from './applets.ts'
import { openText } from './applets.ts'
import { type Machine, type Outcome, readAvailable, type Running, setStatus, write } from './machine.ts'
import { posixRegex } from './pattern.ts'
import { runSed } from './sed.ts'

interface Options {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly words: readonly string[]
}

/** getopt: letters that take a value are given in `valued`. */
export function options(args: readonly string[], valued: string): Options {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const a = args[i] as string
    if (a === '--') {
      words.push(...args.slice(i + 1))
      break
    }
    if (a === '-' || !a.startsWith('-')) {
      words.push(a)
      continue
    }
    if (a.startsWith('--')) {
      const [name = '', value] = a.slice(2).split('=')
      if (value === undefined) flags.add(name)
      else values.set(name, value)
      continue
    }
    for (let k = 1; k < a.length; k++) {
      const letter = a[k] as string
      if (valued.includes(letter)) {
        const value = a.slice(k + 1) || (args[++i] ?? '')
        const before = values.get(letter)
        values.set(letter, before === undefined ? value : `${before}\n${value}`)
        break
      }
      flags.add(letter)
    }
  }
  return { flags, values, words }
}

/** Runs on the named files, or on standard input once it has ended. */
function whole(
  tool: string,
  valued: string,
  body: (m: Machine, r: Running, o: Options, text: string, names: readonly string[]) => number,
  skipWords = 0,
): Applet {
  return (m, r, argv, state) => {
    const o = options(argv.slice(1), valued)
    const names = o.words.slice(skipWords)
    let text = ''
    let status = 0
    if (names.length === 0 || (names.length === 1 && names[0] === '-')) {
      const got = readAvailable(m, r, 0)
      text = (typeof state === 'string' ? state : '') + got.text
      if (!got.end) return { wait: { w: 'read', fd: 0 }, state: text }
    } else
      for (const name of names) {
        try {
          text += openText(m, r, name)
        } catch (error) {
          if (!(error instanceof FileFailure)) throw error
          write(
            m,
            r,
            2,
            `${tool}: ${tool === 'cat' || tool === 'head' || tool === 'tac' ? "can't open " : ''}${tool === 'cat' || tool === 'head' ? `'${name}'` : name}: ${error.message}\n`,
          )
          status = 1
        }
      }
    const result = body(m, r, o, text, names)
    return status === 0 ? result : status
  }
}

/** Passes complete lines on as they arrive. `body` gets lines without their end and says whether to stop. */
function stream(
  tool: string,
  valued: string,
  skipWords: number,
  body: (
    m: Machine,
    r: Running,
    o: Options,
    lines: readonly string[],
    seen: number,
    ended: boolean,
    whole: boolean,
  ) => { status: number; stop: boolean },
): Applet {
  return (m, r, argv, state) => {
    const o = options(argv.slice(1), valued)
    const names = o.words.slice(skipWords)
    const before = (state ?? { rest: '', seen: 0, status: -1 }) as { rest: string; seen: number; status: number }
    let text = ''
    let end = true
    let failed = 0
    if (names.length === 0 || (names.length === 1 && names[0] === '-')) {
      const got = readAvailable(m, r, 0)
      text = before.rest + got.text
      end = got.end
    } else
      for (const name of names) {
        try {
          text += openText(m, r, name)
        } catch (error) {
          if (!(error instanceof FileFailure)) throw error
          write(
            m,
            r,
            2,
            tool === 'cat' || tool === 'head'
              ? `${tool}: can't open '${name}': ${error.message}\n`
              : `${tool}: ${name}: ${error.message}\n`,
          )
          failed = tool === 'grep' ? 2 : 1
        }
      }
    const cut = end ? text.length : text.lastIndexOf('\n') + 1
    const ready = text.slice(0, cut)
    const lines = ready === '' ? [] : ready.replace(/\n$/, '').split('\n')
    const { status, stop } = body(m, r, o, lines, before.seen, end, ready.endsWith('\n') || ready === '')
    const merged = before.status < 0 ? status : Math.min(before.status, status)
    if (!end && !stop)
      return { wait: { w: 'read', fd: 0 }, state: { rest: text.slice(cut), seen: before.seen + lines.length, status: merged } }
    return failed !== 0 ? failed : merged
  }
}

const sorted = (lines: readonly string[], o: Options): string[] => {
  const separator = o.values.get('t')
  const keySpec = o.values.get('k')
  const field = keySpec === undefined ? undefined : Number.parseInt(keySpec, 10)
  const numeric = o.flags.has('n') || (keySpec ?? '').includes('n')
  const key = (line: string): string =>
    field === undefined
      ? line
      : line
          .split(separator === undefined ? /\s+/ : separator)
          .slice(field - 1)
          .join(separator ?? ' ')
  const number = (text: string): number => Number.parseFloat(text) || 0
  const compare = (a: string, b: string): number => {
    const [x, y] = [key(a), key(b)]
    const d = numeric ? number(x) - number(y) : o.flags.has('f') ? cmp(x.toLowerCase(), y.toLowerCase()) : cmp(x, y)
    return d !== 0 ? d : cmp(a, b)
  }
  const out = [...lines].sort(compare)
  if (o.flags.has('r') || (keySpec ?? '').includes('r')) out.reverse()
  return o.flags.has('u') ? out.filter((line, i) => i === 0 || key(line) !== key(out[i - 1] as string)) : out
}

const cmp = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

function ranges(spec: string): (n: number) => boolean {
  const parts = spec.split(',').map((part) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(part)
    const from = match?.[1] ? Number(match[1]) : 1
    const to = match?.[2] === '-' ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : from
    return [from, to] as const
  })
  return (n) => parts.some(([from, to]) => n >= from && n <= to)
}

const CLASS_SETS: Readonly<Record<string, string>> = {
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  digit: '0123456789',
  space: ' \t\n\r\v\f',
  blank: ' \t',
  alpha: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  punct: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
}

function trSet(spec: string): string {
  let text = spec.replace(/\[:(\w+):\]/g, (_, name: string) => CLASS_SETS[name] ?? '')
  text = text.replace(/\\(\d{1,3}|.)/g, (_, c: string) =>
    /^\d+$/.test(c) ? String.fromCharCode(Number.parseInt(c, 8)) : c === 'n' ? '\n' : c === 't' ? '\t' : c === 'r' ? '\r' : c,
  )
  return text.replace(/([\s\S])-([\s\S])/g, (whole2, from: string, to: string) => {
    const [a, b] = [from.charCodeAt(0), to.charCodeAt(0)]
    if (b < a) return whole2
    let out = ''
    for (let c = a; c <= b; c++) out += String.fromCharCode(c)
    return out
  })
}

const grep =
  (extended: boolean, fixed: boolean): Applet =>
  (m, r, argv, state) => {
    const o = options(argv.slice(1), 'emABC')
    const given = o.values.get('e')
    const pattern = given ?? o.words[0] ?? ''
    const ext = extended || o.flags.has('E')
    const sources = pattern
      .split('\n')
      .map((p) => (fixed || o.flags.has('F') ? p.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') : (posixRegex(p, ext)?.source ?? '(?!)')))
    const joined = sources.map((s) => (o.flags.has('x') ? `^(?:${s})$` : o.flags.has('w') ? `\\b(?:${s})\\b` : s)).join('|')
    const regex = new RegExp(joined, `g${o.flags.has('i') ? 'i' : ''}`)
    const invert = o.flags.has('v')
    const skip = given === undefined ? 1 : 0
    const several = o.words.length - skip > 1 && !o.flags.has('h')
    const apply: Applet = stream('grep', 'emABC', skip, (mm, rr, oo, lines, seen, ended) => {
      let out = ''
      let count = 0
      const limit = oo.values.get('m') === undefined ? Number.POSITIVE_INFINITY : Number(oo.values.get('m'))
      lines.forEach((line, i) => {
        if (count >= limit) return
        regex.lastIndex = 0
        const found = regex.test(line) !== invert
        if (!found) return
        count++
        if (oo.flags.has('q') || oo.flags.has('c') || oo.flags.has('l')) return
        const prefix = oo.flags.has('n') ? `${seen + i + 1}:` : ''
        if (oo.flags.has('o')) {
          regex.lastIndex = 0
          if (!invert) for (const match of line.matchAll(regex)) if (match[0] !== '') out += `${prefix}${match[0]}\n`
        } else out += `${prefix}${line}\n`
      })
      write(mm, rr, 1, out)
      if (oo.flags.has('c') && ended) write(mm, rr, 1, `${count}\n`)
      if (oo.flags.has('l') && count > 0) write(mm, rr, 1, `${oo.words.at(-1)}\n`)
      return { status: count > 0 ? 0 : 1, stop: oo.flags.has('q') && count > 0 }
    })
    if (!several) return apply(m, r, argv, state)
    // Several files: each line is given its file's name.
    let status = 1
    for (const name of o.words.slice(skip)) {
      try {
        for (const line of linesOf(openText(m, r, name))) {
          regex.lastIndex = 0
          if (regex.test(line) === invert) continue
          status = 0
          if (!o.flags.has('q')) write(m, r, 1, o.flags.has('l') ? '' : `${name}:${line}\n`)
        }
      } catch (error) {
        if (!(error instanceof FileFailure)) throw error
        write(m, r, 2, `grep: ${name}: ${error.message}\n`)
        status = 2
      }
    }
    return status
  }

export const FILTERS: Readonly<Record<string, Applet>> = {
  cat: (m, r, argv, state) => {
    const names = argv.slice(1).filter((a) => a === '-' || !a.startsWith('-'))
    if (names.length === 0 || names[0] === '-') {
      const { text, end } = readAvailable(m, r, 0)
      write(m, r, 1, text)
      return end ? 0 : { wait: { w: 'read', fd: 0 }, state: true }
    }
    void state
    let status = 0
    for (const name of names) {
      try {
        write(m, r, 1, openText(m, r, name))
      } catch (error) {
        if (!(error instanceof FileFailure)) throw error
        write(m, r, 2, error.code === 'EISDIR' ? `cat: read error: ${error.message}\n` : `cat: can't open '${name}': ${error.message}\n`)
        status = 1
      }
    }
    return status
  },
  tee: (m, r, argv, state) => {
    const o = options(argv.slice(1), '')
    const { text, end } = readAvailable(m, r, 0)
    write(m, r, 1, text)
    for (const name of o.words)
      writeFile(m.around.view, normalisePath(name, r.proc.cwd), text, { append: o.flags.has('a') || state !== undefined })
    return end ? 0 : { wait: { w: 'read', fd: 0 }, state: true }
  },
  grep: grep(false, false),
  egrep: grep(true, false),
  fgrep: grep(false, true),
  head: (m, r, argv, state) => {
    const args = argv.slice(1).map((a) => (/^-\d+$/.test(a) ? `-n${a.slice(1)}` : a))
    const o = options(args, 'nc')
    const limit = Number(o.values.get('n') ?? 10)
    const bytes = o.values.get('c')
    if (bytes !== undefined)
      return whole('head', 'nc', (mm, rr, _o, text) => {
        write(mm, rr, 1, text.slice(0, Number(bytes)))
        return 0
      })(m, r, ['head', ...args], state)
    return stream('head', 'nc', 0, (mm, rr, _o, lines, seen) => {
      const shown = lines.slice(0, Math.max(0, limit - seen))
      if (shown.length > 0) write(mm, rr, 1, `${shown.join('\n')}\n`)
      return { status: 0, stop: seen + lines.length >= limit }
    })(m, r, ['head', ...args], state)
  },
  sed: (m, r, argv, state) => runSed(m, r, argv.slice(1), state),
  sort: whole('sort', 'tko', (m, r, o, text) => {
    const out = sorted(linesOf(text), o)
    if (out.length > 0) write(m, r, 1, `${out.join('\n')}\n`)
    return 0
  }),
  uniq: whole('uniq', '', (m, r, o, text) => {
    const groups: { line: string; n: number }[] = []
    for (const line of linesOf(text)) {
      const last = groups.at(-1)
      if (last && last.line === line) last.n++
      else groups.push({ line, n: 1 })
    }
    for (const g of groups)
      if (!(o.flags.has('d') && g.n < 2) && !(o.flags.has('u') && g.n > 1))
        write(m, r, 1, `${o.flags.has('c') ? `${String(g.n).padStart(7)} ` : ''}${g.line}\n`)
    return 0
  }),
  wc: whole('wc', '', (m, r, o, text, names) => {
    const counts: string[] = []
    const any = o.flags.has('l') || o.flags.has('w') || o.flags.has('c')
    const one = o.flags.size === 1
    const show = (n: number): string => (one && names.length === 0 ? String(n) : one ? String(n) : String(n).padStart(9))
    if (o.flags.has('l') || !any) counts.push(show(text.split('\n').length - 1))
    if (o.flags.has('w') || !any) counts.push(show(text.split(/\s+/).filter(Boolean).length))
    if (o.flags.has('c') || !any) counts.push(show(text.length))
    write(m, r, 1, `${counts.join(one ? '' : ' ')}${names.length > 0 ? ` ${names.join(' ')}` : ''}\n`)
    return 0
  }),
  cut: stream('cut', 'dfcb', 0, (m, r, o, lines) => {
    const delimiter = o.values.get('d') ?? '\t'
    const spec = o.values.get('f') ?? o.values.get('c') ?? o.values.get('b') ?? '1-'
    const keep = ranges(spec)
    for (const line of lines) {
      if (o.values.has('f')) {
        if (!line.includes(delimiter)) {
          if (!o.flags.has('s')) write(m, r, 1, `${line}\n`)
        } else
          write(
            m,
            r,
            1,
            `${line
              .split(delimiter)
              .filter((_, i) => keep(i + 1))
              .join(delimiter)}\n`,
          )
      } else write(m, r, 1, `${[...line].filter((_, i) => keep(i + 1)).join('')}\n`)
    }
    return { status: 0, stop: false }
  }),
  tr: (m, r, argv, state) => {
    const o = options(
      argv.slice(1).map((a, i) => (i > 0 && /^-.+/.test(a) && !/^-[cdsC]+$/.test(a) ? a : a)),
      '',
    )
    const raw = argv.slice(1).filter((a) => !/^-[cCds]+$/.test(a))
    const { text, end } = readAvailable(m, r, 0)
    const flags = new Set(
      argv
        .slice(1)
        .filter((a) => /^-[cCds]+$/.test(a))
        .flatMap((a) => [...a.slice(1)]),
    )
    const complement = flags.has('c') || flags.has('C')
    const from = trSet(raw[0] ?? '')
    const to = trSet(raw[1] ?? '')
    const inFrom = (c: string): boolean => from.includes(c) !== complement
    let out = ''
    let last = ''
    for (const c of text) {
      let next = c
      if (flags.has('d')) {
        if (inFrom(c)) continue
      } else if (to !== '' && inFrom(c))
        next = complement ? (to.at(-1) as string) : (to[Math.min(from.lastIndexOf(c), to.length - 1)] as string)
      if (flags.has('s')) {
        const set = to !== '' && !flags.has('d') ? to : from
        if (next === last && set.includes(next)) continue
      }
      last = next
      out += next
    }
    void o
    void state
    write(m, r, 1, out)
    return end ? 0 : { wait: { w: 'read', fd: 0 }, state: true }
  },
  rev: stream('rev', '', 0, (m, r, _o, lines) => {
    for (const line of lines) write(m, r, 1, `${[...line].reverse().join('')}\n`)
    return { status: 0, stop: false }
  }),
  tac: whole('tac', '', (m, r, _o, text) => {
    for (const line of linesOf(text).reverse()) write(m, r, 1, `${line}\n`)
    return 0
  }),
  nl: stream('nl', '', 0, (m, r, _o, lines, seen) => {
    lines.forEach((line, i) => write(m, r, 1, `${String(seen + i + 1).padStart(6)}\t${line}\n`))
    return { status: 0, stop: false }
  }),
  xargs: (m, r, argv, state): Outcome => {
    if (state === 'ran') return r.proc.status
    const got = readAvailable(m, r, 0)
    const text = (typeof state === 'string' ? state : '') + got.text
    if (!got.end) return { wait: { w: 'read', fd: 0 }, state: text }
    const o = options([], '')
    void o
    const args = argv.slice(1)
    let i = 0
    let each1 = 0
    let replace: string | undefined
    for (; i < args.length && (args[i] as string).startsWith('-'); i++) {
      if (args[i] === '-n') each1 = Number(args[++i])
      else if (args[i] === '-I') replace = args[++i]
    }
    const command = args.slice(i).length > 0 ? args.slice(i) : ['echo']
    const words = replace !== undefined ? linesOf(text) : text.split(/\s+/).filter(Boolean)
    const groups: string[][] = []
    if (replace !== undefined) for (const w of words) groups.push(command.map((c) => c.split(replace as string).join(w)))
    else if (each1 > 0) for (let k = 0; k < words.length; k += each1) groups.push([...command, ...words.slice(k, k + each1)])
    else groups.push([...command, ...words])
    setStatus(r, 0)
    for (const g of groups.reverse()) r.stack.push({ i: 'exec', argv: g })
    return { done: true }
  },
}
