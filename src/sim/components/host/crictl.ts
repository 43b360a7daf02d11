// crictl: pods, containers, images and logs of the runtime (kubernetes-sigs/cri-tools v1.35).
import { EPOCH_MS } from '../../engine/types.ts'
import { formatDate } from '../runtime/shell/text.ts'
import type { Container, LogEntry, PresentImage, Sandbox } from '../runtime/state.ts'
import { columns, type CommandOutput, complain, humanDuration, type MachineView, print } from './view.ts'

const ID_LENGTH = 13
const MINIMUM_WIDTH = 20
const PADDING = 3

const STATES: Readonly<Record<string, string>> = {
  CONTAINER_CREATED: 'Created',
  CONTAINER_RUNNING: 'Running',
  CONTAINER_EXITED: 'Exited',
  CONTAINER_UNKNOWN: 'Unknown',
}

export function crictl(view: MachineView, args: readonly string[]): CommandOutput {
  const runtime = `containerd/${view.name}`
  if (!view.process(runtime)?.running)
    return complain(
      1,
      'FATA[0000] validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory" \n',
    )
  const flags = args.filter((a) => a.startsWith('-'))
  const words = args.filter((a) => !a.startsWith('-'))
  const [what, target] = words
  const containers = view.peek<Container>(runtime, 'containers').values()
  const sandboxes = view.peek<Sandbox>(runtime, 'sandboxes')
  const ago = (at: number): string => `${humanDuration(view.now - at)} ago`
  const table = (rows: string[][]): CommandOutput => print(columns(rows, MINIMUM_WIDTH, PADDING))
  switch (what) {
    case 'ps': {
      const shown = containers
        .filter((c) => flags.some((f) => f === '-a' || f === '--all') || c.state === 'CONTAINER_RUNNING')
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
      const image = (c: Container): string => c.imageId.replace('sha256:', '').slice(0, ID_LENGTH)
      return table([
        ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD', 'NAMESPACE'],
        ...shown.map((c) => [
          c.id.slice(0, ID_LENGTH),
          image(c),
          ago(c.createdAt),
          STATES[c.state] ?? '',
          c.name,
          String(c.attempt),
          c.sandboxId.slice(0, ID_LENGTH),
          sandboxes.get(c.sandboxId)?.config.name ?? '',
          sandboxes.get(c.sandboxId)?.config.namespace ?? '',
        ]),
      ])
    }
    case 'pods':
      return table([
        ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
        ...sandboxes
          .values()
          .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1))
          .map((s) => [
            s.id.slice(0, ID_LENGTH),
            ago(s.createdAt),
            s.state === 'SANDBOX_READY' ? 'Ready' : 'NotReady',
            s.config.name,
            s.config.namespace,
            String(s.attempt),
            '(default)',
          ]),
      ])
    case 'images':
    case 'img':
      return table([
        ['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'],
        ...view
          .peek<PresentImage>(runtime, 'images')
          .values()
          .map((i) => {
            const cut = i.name.lastIndexOf(':')
            return [i.name.slice(0, cut), i.name.slice(cut + 1), i.id.replace('sha256:', '').slice(0, ID_LENGTH), size(i.sizeBytes)]
          }),
      ])
    case 'logs': {
      const found = containers.filter((c) => target !== undefined && c.id.startsWith(target))
      if (target === undefined) return complain(1, 'Incorrect Usage: ID cannot be empty\n')
      if (found.length === 0)
        return complain(
          1,
          `E${formatDate(EPOCH_MS + view.now, '%m%d %H:%M:%S')}.000000       1 log.go:32] "ContainerStatus from runtime service failed" err="rpc error: code = NotFound desc = an error occurred when try to find container \\"${target}\\": not found" containerID="${target}"\n`,
        )
      const id = (found[0] as Container).id
      const entries = view.peek<LogEntry>(runtime, 'logs')
      return print(
        entries
          .keysWithPrefix(`${id}/`)
          .map((key) => entries.get(key) as LogEntry)
          .map((e) => `${e.text}${e.partial ? '' : '\n'}`)
          .join(''),
      )
    }
    case 'version':
      return print('Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  v2.2.0\nRuntimeApiVersion:  v1\n')
    default:
      return complain(1, `No help topic for '${what ?? ''}'\n`)
  }
}

/** docker/go-units HumanSizeWithPrecision(…, 3). */
function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let n = bytes
  let unit = 0
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit++
  }
  return `${Number(n.toPrecision(3))}${units[unit]}`
}
