// What the bridge can be told at its start; a reset can change the cluster's part.
import { parseArgs } from 'node:util'

export const PROFILES = ['api', 'scheduling', 'cluster', 'default'] as const
export type Profile = (typeof PROFILES)[number]
export const CLOCKS = ['manual', 'real', 'x20'] as const
export type ClockKind = (typeof CLOCKS)[number]

export interface ClusterChoice {
  readonly profile: Profile
  readonly nodes: number
  readonly seed: number
  readonly proxyMode: 'iptables' | 'nftables'
}

export interface BridgeOptions extends ClusterChoice {
  readonly clock: ClockKind
  readonly port: number
  readonly kubeconfig?: string
}

export const DEFAULTS: BridgeOptions = { profile: 'default', nodes: 3, seed: 1, proxyMode: 'iptables', clock: 'real', port: 0 }

export const USAGE = `usage: npm run bridge -- [--profile ${PROFILES.join('|')}] [--nodes 3] [--clock ${CLOCKS.join('|')}] [--port 0] [--seed 1] [--write-kubeconfig FILE]`

/** @throws RangeError naming the flag */
export function readFlags(args: readonly string[]): BridgeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string', default: DEFAULTS.profile },
      nodes: { type: 'string', default: String(DEFAULTS.nodes) },
      clock: { type: 'string', default: DEFAULTS.clock },
      port: { type: 'string', default: String(DEFAULTS.port) },
      seed: { type: 'string', default: String(DEFAULTS.seed) },
      'write-kubeconfig': { type: 'string' },
    },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError(`--port ${values.port}: must be from 0 to 65535`)
  const clock = CLOCKS.find((c) => c === values.clock)
  if (!clock) throw new RangeError(`--clock ${values.clock}: must be one of ${CLOCKS.join(', ')}`)
  return {
    ...checkChoice({
      profile: values.profile as Profile,
      nodes: Number(values.nodes),
      seed: Number(values.seed),
      proxyMode: DEFAULTS.proxyMode,
    }),
    clock,
    port,
    ...(values['write-kubeconfig'] === undefined ? {} : { kubeconfig: values['write-kubeconfig'] }),
  }
}

const MAX_NODES = 50

/** @throws RangeError naming the field */
export function checkChoice(choice: ClusterChoice): ClusterChoice {
  if (!PROFILES.includes(choice.profile)) throw new RangeError(`profile ${choice.profile}: must be one of ${PROFILES.join(', ')}`)
  if (!Number.isInteger(choice.nodes) || choice.nodes < 0 || choice.nodes > MAX_NODES)
    throw new RangeError(`nodes ${choice.nodes}: must be a whole number from 0 to ${MAX_NODES}`)
  if (!Number.isSafeInteger(choice.seed)) throw new RangeError(`seed ${choice.seed}: must be a whole number`)
  if (choice.proxyMode !== 'iptables' && choice.proxyMode !== 'nftables')
    throw new RangeError(`proxyMode ${String(choice.proxyMode)}: must be iptables or nftables`)
  return choice
}
