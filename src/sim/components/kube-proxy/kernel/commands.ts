// The commands with which a root shell on a machine looks at the packet filter.
import type { Table } from '../../../engine/types.ts'

export interface CommandOutput {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** What each table looks like before anybody wrote rules. */
const EMPTY: Readonly<Record<string, readonly string[]>> = {
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
}
const emptyTable = (table: string): string =>
  [`*${table}`, ...(EMPTY[table] ?? []).map((c) => `:${c} ACCEPT [0:0]`), 'COMMIT', ''].join('\n')

/** `rules` is the kernel's table of that name. undefined: not a command of the packet filter. */
export function netfilterCommand(rules: Pick<Table<unknown>, 'get'>, command: string): CommandOutput | undefined {
  const words = command.trim().split(/\s+/)
  const print = (stdout: string): CommandOutput => ({ exit: 0, stdout, stderr: '' })
  if (words[0] === 'iptables-save') {
    const flag = words.findIndex((w) => w === '-t' || w === '--table')
    const table = flag < 0 ? undefined : (words[flag + 1] ?? '')
    if (table !== undefined && !Object.hasOwn(EMPTY, table))
      return { exit: 1, stdout: '', stderr: `iptables-save: Cannot initialize: ${table}: table does not exist\n` }
    const dump = (name: string): string =>
      rules.get('mode') === 'iptables' && (name === 'nat' || name === 'filter') ? (rules.get(name) as string) : emptyTable(name)
    return print(table === undefined ? dump('filter') + dump('nat') : dump(table))
  }
  if (words[0] === 'nft') {
    const rest = words.slice(1).join(' ')
    const written = rules.get('mode') === 'nftables'
    if (rest === 'list table ip kube-proxy')
      return written
        ? print(rules.get('text') as string)
        : { exit: 1, stdout: '', stderr: 'Error: No such file or directory\nlist table ip kube-proxy\n              ^^^^^^^^^^\n' }
    if (rest === 'list ruleset') return print(written ? (rules.get('text') as string) : '')
    if (rest === 'list tables') return print(written ? 'table ip kube-proxy\n' : '')
  }
  return undefined
}
