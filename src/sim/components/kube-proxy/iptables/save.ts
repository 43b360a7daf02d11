import { compareStrings } from '../../../../lib/compare.ts'
import type { Chain, RuleSet } from '../kernel/netfilter.ts'

/** `iptables-save -t TABLE`: the kernel's own chains first, then all others by name; rules chain by chain. */
export function iptablesSave(rules: RuleSet, table: string): string {
  const chains = rules.chains.filter((c) => c.table === table)
  const base = chains.filter((c) => c.base)
  const ordered: Chain[] = [...base, ...chains.filter((c) => !c.base).sort((a, b) => compareStrings(a.name, b.name))]
  return [
    `*${table}`,
    ...ordered.map((c) => `:${c.name} ${c.base ? 'ACCEPT' : '-'} [0:0]`),
    ...ordered.flatMap((c) => c.rules.map((r) => `-A ${c.name} ${r.text}`)),
    'COMMIT',
    '',
  ].join('\n')
}
