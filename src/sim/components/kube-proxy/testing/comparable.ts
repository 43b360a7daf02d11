// Brings rule dumps to the form in which the recordings are kept: no counters, and nothing about default/kubernetes, whose port differs between set-ups.

export function comparableIptables(text: string): string {
  const lines = text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l && !l.startsWith('#'))
    .map((l) => l.replace(/^(:\S+ \S+) \[\d+:\d+\]$/, '$1'))
  const gone = new Set<string>()
  for (const l of lines)
    if (l.includes('"default/kubernetes')) for (const m of l.matchAll(/KUBE-(?:SVC|SEP|EXT|SVL)-[A-Z0-9]+/g)) gone.add(m[0])
  return lines.filter((l) => ![...gone].some((c) => l.includes(c)) && !l.includes('"default/kubernetes')).join('\n')
}

export function comparableNft(text: string): string {
  const t = text.replace(/(elements = \{)([^}]*)(\})/g, (_, a: string, body: string, z: string) => {
    const items = body
      .split(',')
      .map((x) => x.trim().replace(/\s+/g, ' '))
      .filter((x) => x && !x.includes('default/kubernetes') && x !== '10.96.0.1')
      .sort()
    return items.length > 0 ? `${a} ${items.join(', ')} ${z}` : ''
  })
  const blocks: string[] = []
  let block: string[] | undefined
  for (const raw of t.split('\n')) {
    const l = raw.trim()
    if (!l) continue
    if (/^(set|map|chain) \S+ \{$/.test(l)) block = [l]
    else if (block) {
      block.push(l)
      if (l === '}') {
        if (!(block[0] as string).includes('default/kubernetes')) blocks.push(block.join('\n\t'))
        block = undefined
      }
    }
  }
  return blocks.sort().join('\n')
}
