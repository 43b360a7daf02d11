// Shell patterns (glob) and POSIX regular expressions (basic and extended) as JavaScript expressions.

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

/** A shell pattern as an expression without anchors. `slash`: whether `*` and `?` match a slash. `literal(i)`: the character is quoted. */
export function globSource(pattern: string, slash: boolean, literal: (index: number) => boolean = () => false): string {
  let out = ''
  const any = slash ? '[\\s\\S]' : '[^/]'
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string
    if (literal(i)) out += escape(c)
    else if (c === '*') out += `${any}*`
    else if (c === '?') out += any
    else if (c === '[') {
      const end = pattern.indexOf(']', i + 2)
      if (end < 0) out += '\\['
      else {
        out += bracket(pattern.slice(i + 1, end))
        i = end
      }
    } else if (c === '\\' && i + 1 < pattern.length) out += escape(pattern[++i] as string)
    else out += escape(c)
  }
  return out
}

function bracket(inner: string): string {
  let body = inner
  let negated = false
  if (body.startsWith('!') || body.startsWith('^')) {
    negated = true
    body = body.slice(1)
  }
  return `[${negated ? '^' : ''}${classes(body)}]`
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  space: '\\s',
  upper: 'A-Z',
  lower: 'a-z',
  blank: ' \\t',
  xdigit: 'A-Fa-f0-9',
  punct: '!-\\/:-@\\[-`{-~',
  print: ' -~',
  cntrl: '\\x00-\\x1f',
}

function classes(body: string): string {
  return body.replace(/\[:(\w+):\]|[\\\]^[]/g, (match, name: string | undefined) =>
    name !== undefined ? (CLASSES[name] ?? '') : `\\${match}`,
  )
}

/** A POSIX regular expression as a JavaScript one. Back-references and intervals included; in basic syntax `\|`, `\+`, `\?` as GNU and busybox have them. */
export function posixRegex(pattern: string, extended: boolean, flags = ''): RegExp | undefined {
  let out = ''
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] as string
    if (c === '[') {
      let end = i + 1
      if (pattern[end] === '^') end++
      if (pattern[end] === ']') end++
      while (end < pattern.length && pattern[end] !== ']') {
        if (pattern.startsWith('[:', end)) end = pattern.indexOf(':]', end) + 1 || pattern.length
        end++
      }
      const inner = pattern.slice(i + 1, end)
      const negated = inner.startsWith('^')
      out += `[${negated ? '^' : ''}${classes(negated ? inner.slice(1) : inner)}]`
      i = end
    } else if (c === '\\') {
      const next = pattern[++i]
      if (next === undefined) out += '\\\\'
      else if ('(){}|+?'.includes(next)) out += extended ? `\\${next}` : next
      else if (/[1-9]/.test(next)) out += `\\${next}`
      else if ('wWsSbB'.includes(next)) out += `\\${next}`
      else if (next === '<' || next === '>') out += '\\b'
      else if (next === 'n') out += '\\n'
      else if (next === 't') out += '\\t'
      else out += escape(next)
    } else if (!extended && '(){}|+?'.includes(c)) out += `\\${c}`
    else if (c === '*' && (out === '' || out.endsWith('(') || out.endsWith('|') || out === '^')) out += '\\*'
    else if (c === '/') out += '\\/'
    else if (!extended && c === '^' && i > 0 && !/\\[(|]$/.test(pattern.slice(0, i))) out += '\\^'
    else if (!extended && c === '$' && i < pattern.length - 1 && !/^\\[)|]/.test(pattern.slice(i + 1))) out += '\\$'
    else out += c
  }
  try {
    return new RegExp(out, flags)
  } catch {
    return undefined
  }
}
