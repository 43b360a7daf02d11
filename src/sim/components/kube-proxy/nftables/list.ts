import { MAPS, type NftablesRules, SETS, sortElements } from './rules.ts'

/** `nft list table ip kube-proxy` */
export function nftList(rules: NftablesRules): string {
  const out: string[] = ['table ip kube-proxy {']
  const block = (head: string, lines: readonly string[]): void => {
    out.push(`\t${head} {`, ...lines.map((l) => `\t\t${l}`), '\t}', '')
  }
  for (const [name, comment] of Object.entries(SETS)) {
    const addresses = rules.sets.find((s) => s.name === name)?.addresses ?? []
    block(`set ${name}`, ['type ipv4_addr', `comment "${comment}"`, ...(addresses.length > 0 ? [elements(addresses)] : [])])
  }
  for (const { name, seconds } of rules.affinity)
    block(`set ${name}`, ['type ipv4_addr', 'size 65535', 'flags dynamic,timeout', `timeout ${duration(seconds)}`])
  for (const [name, { type, comment }] of Object.entries(MAPS)) {
    const entries = sortElements(rules.maps.find((m) => m.name === name)?.elements ?? []).map((e) => e.text)
    block(`map ${name}`, [`type ${type}`, `comment "${comment}"`, ...(entries.length > 0 ? [elements(entries)] : [])])
  }
  const declarations = new Map(rules.declarations)
  for (const chain of rules.chains) {
    const declaration = declarations.get(chain.name)
    block(`chain ${chain.name}`, [...(declaration === undefined ? [] : [declaration]), ...chain.rules.map((r) => r.text)])
  }
  out.pop()
  return `${out.join('\n')}\n}\n`
}

/** nft breaks the line after every element but the last. */
const elements = (entries: readonly string[]): string => `elements = { ${entries.join(',\n\t\t\t     ')} }`

function duration(seconds: number): string {
  const parts: string[] = []
  let rest = seconds
  for (const [unit, size] of [
    ['d', 86400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n > 0) parts.push(`${n}${unit}`)
  }
  return parts.join('')
}
