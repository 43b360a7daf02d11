// A root shell on a machine: the commands with which people look into a node. What they print is read from state; what they change is an effect for the caller.
import { EPOCH_MS } from '../../engine/types.ts'
import type { KubeletConfig } from '../kubelet/config.ts'
import { resolvConf } from '../kubelet/network-files.ts'
import type { Sandbox } from '../runtime/state.ts'
import { formatDate } from '../runtime/shell/text.ts'
import { crictl } from './crictl.ts'
import { journal } from './journal.ts'
import { toYaml } from './yaml.ts'
import { columns, type CommandEffect, type CommandOutput, complain, humanDuration, type MachineView, print } from './view.ts'

const UNITS: Readonly<Record<string, { readonly description: string; readonly pid: number }>> = {
  kubelet: { description: 'kubelet: The Kubernetes Node Agent', pid: 712 },
  containerd: { description: 'containerd container runtime', pid: 405 },
  'kube-proxy': { description: 'kube-proxy', pid: 820 },
}

const MANIFESTS = '/etc/kubernetes/manifests'

const unitName = (text: string): string => text.replace(/\.service$/, '')
const idOf = (view: MachineView, unit: string): string => `${unit}/${view.name}`

/** undefined: not a command that is known here. */
export function hostCommand(view: MachineView, command: string): CommandOutput | CommandEffect | undefined {
  const words = command
    .trim()
    .split(/\s+/)
    .filter((w, i) => !(i === 0 && w === 'sudo'))
  const [tool = '', ...args] = words
  switch (tool) {
    case 'crictl':
      return crictl(view, args)
    case 'systemctl':
      return systemctl(view, args)
    case 'journalctl':
      return journalctl(view, args)
    case 'hostname':
      return print(`${view.name}\n`)
    case 'whoami':
      return print('root\n')
    case 'uname':
      return print(
        args.includes('-a')
          ? `Linux ${view.name} 6.8.0-60-generic #63-Ubuntu SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n`
          : args.includes('-r')
            ? '6.8.0-60-generic\n'
            : 'Linux\n',
      )
    case 'date':
      return print(`${formatDate(EPOCH_MS + view.now, '%a %b %e %H:%M:%S UTC %Y')}\n`)
    case 'uptime':
      return print(
        ` ${formatDate(EPOCH_MS + view.now, '%H:%M:%S')} up ${humanDuration(view.now - bootedAt(view)).toLowerCase()},  1 user,  load average: 0.10, 0.08, 0.05\n`,
      )
    case 'ls':
      return list(view, args.filter((a) => !a.startsWith('-'))[0] ?? '.')
    case 'cat':
      return cat(view, args[0] ?? '')
    case 'ip':
      return ip(view, args)
    case 'ps':
      return processes(view)
    case 'free':
      return free(view)
    case 'df':
      return print(
        columns(
          [
            ['Filesystem', 'Size', 'Used', 'Avail', 'Use%', 'Mounted on'],
            ['/dev/vda1', '100G', '12G', '88G', '12%', '/'],
            ['tmpfs', '1.6G', '1.2M', '1.6G', '1%', '/run'],
          ],
          8,
          2,
        ),
      )
  }
  return undefined
}

const bootedAt = (view: MachineView): number => view.peek<number>(`kernel/${view.name}`, 'boot').get('at') ?? 0

function startedAt(view: MachineView, id: string): number {
  let at = 0
  for (const r of view.records(id)) if (r.kind === 'process.started') at = r.at
  return at
}

function systemctl(view: MachineView, args: readonly string[]): CommandOutput | CommandEffect {
  const [verb = '', given = ''] = args.filter((a) => !a.startsWith('-'))
  const unit = unitName(given)
  const known = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
  const id = idOf(view, unit)
  const process = view.process(id)
  if (!known || !process)
    return complain(
      verb === 'status' ? 4 : 5,
      verb === 'status'
        ? `Unit ${unit}.service could not be found.\n`
        : `Failed to ${verb} ${unit}.service: Unit ${unit}.service not loaded.\n`,
    )
  switch (verb) {
    case 'start':
      return process.running ? print('') : { effect: 'start', process: id }
    case 'stop':
      return process.running ? { effect: 'stop', process: id } : print('')
    case 'restart':
      return { effect: 'restart', process: id }
    case 'is-active':
      return { exit: process.running ? 0 : 3, stdout: process.running ? 'active\n' : 'inactive\n', stderr: '' }
    case 'status': {
      const records = view.records(id)
      const last = records.findLast((r) => r.kind === 'process.started' || r.kind === 'process.stopped')
      const since = last?.at ?? 0
      const when = `${formatDate(EPOCH_MS + since, '%a %Y-%m-%d %H:%M:%S')} UTC; ${humanDuration(view.now - since).toLowerCase()} ago`
      const lines = [
        `${process.running ? '●' : '○'} ${unit}.service - ${known.description}`,
        `     Loaded: loaded (/lib/systemd/system/${unit}.service; enabled; preset: enabled)`,
        process.running ? `     Active: active (running) since ${when}` : `     Active: inactive (dead) since ${when}`,
        ...(process.running ? [`   Main PID: ${known.pid} (${unit})`] : []),
        '',
        ...journal(records, view.name, unit, known.pid).slice(-10),
      ]
      return { exit: process.running ? 0 : 3, stdout: `${lines.join('\n')}\n`, stderr: '' }
    }
    default:
      return complain(1, `Unknown command verb ${verb}.\n`)
  }
}

function journalctl(view: MachineView, args: readonly string[]): CommandOutput {
  const at = args.findIndex((a) => a === '-u' || a === '--unit')
  const unit = unitName(at >= 0 ? (args[at + 1] ?? '') : (args.find((a) => a.startsWith('-u'))?.slice(2) ?? ''))
  const known = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
  if (!known) return print('-- No entries --\n')
  const lines = journal(view.records(idOf(view, unit)), view.name, unit, known.pid)
  const n = args.findIndex((a) => a === '-n' || a === '--lines')
  const count =
    n >= 0
      ? Number(args[n + 1])
      : Number(args.find((a) => /^(-n|--lines=)\d+$/.test(a))?.replace(/^\D+/, '') ?? (args.includes('-f') ? 10 : Number.POSITIVE_INFINITY))
  const shown = Number.isFinite(count) ? lines.slice(-count) : lines
  return print(shown.length === 0 ? '-- No entries --\n' : `${shown.join('\n')}\n`)
}

/** Manifests that are in the directory now. */
function manifests(view: MachineView): { name: string; object: unknown }[] {
  const config = view.process(`kubelet/${view.name}`)?.config as KubeletConfig | undefined
  const gone = view.peek<boolean>(`kubelet/${view.name}`, 'removed-manifests')
  return (config?.manifests ?? []).flatMap((object) => {
    const name = String((object as { metadata?: { name?: string } }).metadata?.name ?? '')
    return gone.get(name) ? [] : [{ name: `${name}.yaml`, object }]
  })
}

function files(view: MachineView): ReadonlyMap<string, () => string> {
  const config = view.process(`kubelet/${view.name}`)?.config as KubeletConfig | undefined
  const found = new Map<string, () => string>([
    ['/etc/hostname', () => `${view.name}\n`],
    ['/etc/hosts', () => `127.0.0.1\tlocalhost\n${view.ip}\t${view.name}\n`],
    [
      '/etc/os-release',
      () => 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nID=debian\n',
    ],
    [
      '/etc/resolv.conf',
      () => resolvConf({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [], dnsPolicy: 'Default' } }, [], ''),
    ],
  ])
  for (const m of manifests(view)) found.set(`${MANIFESTS}/${m.name}`, () => toYaml(m.object))
  if (config)
    found.set('/var/lib/kubelet/config.yaml', () =>
      toYaml({
        apiVersion: 'kubelet.config.k8s.io/v1beta1',
        kind: 'KubeletConfiguration',
        cgroupDriver: 'systemd',
        clusterDNS: config.clusterDNS,
        clusterDomain: config.clusterDomain,
        healthzBindAddress: '127.0.0.1',
        healthzPort: 10248,
        rotateCertificates: true,
        staticPodPath: MANIFESTS,
      }),
    )
  const range = view.peek<{ podCIDR: string }>(`containerd/${view.name}`, 'cni').get('range')
  if (range)
    found.set(
      '/etc/cni/net.d/10-kindnet.conflist',
      () =>
        `${JSON.stringify(
          {
            cniVersion: '0.3.1',
            name: 'kindnet',
            plugins: [
              {
                type: 'ptp',
                ipMasq: false,
                ipam: {
                  type: 'host-local',
                  dataDir: '/run/cni-ipam-state',
                  routes: [{ dst: '0.0.0.0/0' }],
                  ranges: [[{ subnet: range.podCIDR }]],
                },
                mtu: 1500,
              },
              { type: 'portmap', capabilities: { portMappings: true } },
            ],
          },
          null,
          2,
        )}\n`,
    )
  return found
}

function list(view: MachineView, given: string): CommandOutput {
  const path = given.replace(/\/+$/, '') || '/'
  const all = [...files(view).keys()]
  if (all.includes(path)) return print(`${path}\n`)
  const prefix = path === '/' ? '/' : `${path}/`
  const names = [...new Set(all.filter((f) => f.startsWith(prefix)).map((f) => f.slice(prefix.length).split('/')[0] as string))].sort()
  if (names.length === 0 && ![MANIFESTS, '/etc/cni/net.d', '.', '/root'].includes(path))
    return complain(2, `ls: cannot access '${given}': No such file or directory\n`)
  return print(names.map((n) => `${n}\n`).join(''))
}

function cat(view: MachineView, path: string): CommandOutput {
  const read = files(view).get(path)
  return read ? print(read()) : complain(1, `cat: ${path}: No such file or directory\n`)
}

function ip(view: MachineView, args: readonly string[]): CommandOutput {
  const what = args.filter((a) => !a.startsWith('-'))[0] ?? ''
  const range = view.peek<{ podCIDR: string }>(`containerd/${view.name}`, 'cni').get('range')
  const pods = view
    .peek<Sandbox>(`containerd/${view.name}`, 'sandboxes')
    .values()
    .filter((s) => s.state === 'SANDBOX_READY' && !s.hostNetwork)
  const veth = (s: Sandbox): string => `veth${s.id.slice(0, 8)}`
  if ('addr'.startsWith(what) && what !== '') {
    const gateway = range?.podCIDR.replace(/\.0\/\d+$/, '.1')
    const lines = [
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536',
      '    inet 127.0.0.1/8 scope host lo',
      '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500',
      `    inet ${view.ip}/16 brd 172.18.255.255 scope global eth0`,
    ]
    pods.forEach((s, i) =>
      lines.push(
        `${i + 3}: ${veth(s)}@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500`,
        `    inet ${gateway ?? ''}/32 scope global ${veth(s)}`,
      ),
    )
    return print(`${lines.join('\n')}\n`)
  }
  if ('route'.startsWith(what) && what !== '') {
    const others = view.peek<{ podCIDR: string; via: string }>(`kernel/${view.name}`, 'routes').values()
    return print(
      [
        'default via 172.18.0.1 dev eth0',
        ...pods.map((s) => `${s.ip} dev ${veth(s)} scope host`).sort(),
        ...others.map((r) => `${r.podCIDR} via ${r.via} dev eth0`).sort(),
        `172.18.0.0/16 dev eth0 proto kernel scope link src ${view.ip}`,
      ]
        .map((l) => `${l}\n`)
        .join(''),
    )
  }
  return complain(255, `Object "${what}" is unknown, try "ip help".\n`)
}

function processes(view: MachineView): CommandOutput {
  const rows = view
    .processes()
    .filter((p) => p.running && p.type !== 'kernel')
    .map((p, i) => [
      String(Object.hasOwn(UNITS, p.type) ? UNITS[p.type]?.pid : 1000 + i * 17),
      '?',
      formatDate(EPOCH_MS + startedAt(view, p.id), '%H:%M:%S'),
      p.type,
    ])
  return print(columns([['PID', 'TTY', 'STARTED', 'CMD'], ...rows], 6, 2))
}

function free(view: MachineView): CommandOutput {
  const config = view.process(`kubelet/${view.name}`)?.config as KubeletConfig | undefined
  const total = Number.parseInt(config?.capacity.memory ?? '8Gi', 10) * 1024
  return print(
    columns(
      [
        ['', 'total', 'used', 'free', 'shared', 'buff/cache', 'available'],
        ['Mem:', String(total), '1024', String(total - 2048), '2', '1024', String(total - 1024)],
        ['Swap:', '0', '0', '0'],
      ],
      12,
      1,
    ),
  )
}
