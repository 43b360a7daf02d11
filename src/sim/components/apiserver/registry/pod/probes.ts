// Probes, lifecycle hooks and their handlers (pkg/apis/core/validation/validation.go).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  PodOS,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../../../api/types/kubernetes.gen.ts'
import { invalidEach, isHTTPHeaderName, isValidPortName, isValidPortNum, nonNegative } from './rules.ts'

interface Handler {
  exec?: ExecAction
  httpGet?: HTTPGetAction
  tcpSocket?: TCPSocketAction
  grpc?: GRPCAction
  sleep?: SleepAction
}

export const validatePortNumOrName = (port: number | string | undefined, path: string): FieldError[] =>
  typeof port === 'string' ? invalidEach(path, port, isValidPortName(port)) : invalidEach(path, port ?? 0, isValidPortNum(port ?? 0))

function validateHttpGet(http: HTTPGetAction, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (!http.path) errs.push(required(`${path}.path`))
  errs.push(...validatePortNumOrName(http.port as number | string | undefined, `${path}.port`))
  if (http.scheme !== 'HTTP' && http.scheme !== 'HTTPS') errs.push(notSupported(`${path}.scheme`, http.scheme ?? '', ['HTTP', 'HTTPS']))
  for (const header of http.httpHeaders ?? [])
    errs.push(...invalidEach(`${path}.httpHeaders`, header.name ?? '', isHTTPHeaderName(header.name ?? '')))
  return errs
}

/** `grace` is the pod's terminationGracePeriodSeconds; without one the error is reported elsewhere. */
function validateSleep(sleep: SleepAction, grace: number | undefined, path: string): FieldError[] {
  const seconds = sleep.seconds ?? 0
  if (typeof grace !== 'number' || (seconds >= 0 && seconds <= grace)) return []
  return [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
}

function validateHandler(handler: Handler, grace: number | undefined, path: string): FieldError[] {
  const errs: FieldError[] = []
  let seen = false
  const one = (name: keyof Handler, check: () => FieldError[]): void => {
    if (!handler[name]) return
    errs.push(...(seen ? [forbidden(`${path}.${name}`, 'may not specify more than 1 handler type')] : check()))
    seen = true
  }
  one('exec', () => ((handler.exec?.command ?? []).length > 0 ? [] : [required(`${path}.exec.command`)]))
  one('httpGet', () => validateHttpGet(handler.httpGet as HTTPGetAction, `${path}.httpGet`))
  one('tcpSocket', () => validatePortNumOrName(handler.tcpSocket?.port as number | string | undefined, `${path}.tcpSocket.port`))
  one('grpc', () => validatePortNumOrName(handler.grpc?.port, `${path}.grpc.port`))
  one('sleep', () => validateSleep(handler.sleep as SleepAction, grace, `${path}.sleep`))
  if (!seen) errs.push(required(path, 'must specify a handler type'))
  return errs
}

function validateProbe(probe: Probe, path: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc } = probe
  const errs = validateHandler(
    { ...(exec && { exec }), ...(httpGet && { httpGet }), ...(tcpSocket && { tcpSocket }), ...(grpc && { grpc }) },
    undefined,
    path,
  )
  for (const name of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    errs.push(...nonNegative(probe[name] ?? 0, `${path}.${name}`))
  }
  const grace = probe.terminationGracePeriodSeconds
  if (typeof grace === 'number' && grace <= 0) errs.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  return errs
}

interface Probes {
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
}

/** Liveness, readiness, startup, in this order. */
export function validateProbes(container: Probes, path: string): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  const errs: FieldError[] = []
  const mustSucceedOnce = (probe: Probe, at: string): FieldError[] =>
    (probe.successThreshold ?? 0) === 1 ? [] : [invalid(`${at}.successThreshold`, probe.successThreshold ?? 0, 'must be 1')]
  if (livenessProbe)
    errs.push(...validateProbe(livenessProbe, `${path}.livenessProbe`), ...mustSucceedOnce(livenessProbe, `${path}.livenessProbe`))
  if (readinessProbe) {
    errs.push(...validateProbe(readinessProbe, `${path}.readinessProbe`))
    const grace = readinessProbe.terminationGracePeriodSeconds
    if (typeof grace === 'number')
      errs.push(invalid(`${path}.readinessProbe.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'))
  }
  if (startupProbe)
    errs.push(...validateProbe(startupProbe, `${path}.startupProbe`), ...mustSucceedOnce(startupProbe, `${path}.startupProbe`))
  return errs
}

const realTimeSignals = [
  'SIGRTMAX',
  ...Array.from({ length: 14 }, (_, i) => `SIGRTMAX-${i + 1}`),
  'SIGRTMIN',
  ...Array.from({ length: 15 }, (_, i) => `SIGRTMIN+${i + 1}`),
]
const linuxSignals = [
  'SIGABRT',
  'SIGALRM',
  'SIGBUS',
  'SIGCHLD',
  'SIGCLD',
  'SIGCONT',
  'SIGFPE',
  'SIGHUP',
  'SIGILL',
  'SIGINT',
  'SIGIO',
  'SIGIOT',
  'SIGKILL',
  'SIGPIPE',
  'SIGPOLL',
  'SIGPROF',
  'SIGPWR',
  'SIGQUIT',
  ...realTimeSignals,
  'SIGSEGV',
  'SIGSTKFLT',
  'SIGSTOP',
  'SIGSYS',
  'SIGTERM',
  'SIGTRAP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGUSR1',
  'SIGUSR2',
  'SIGVTALRM',
  'SIGWINCH',
  'SIGXCPU',
  'SIGXFSZ',
].sort()
const windowsSignals = ['SIGKILL', 'SIGTERM']

export function validateLifecycle(lifecycle: Lifecycle, grace: number | undefined, path: string, os: PodOS | undefined): FieldError[] {
  const errs: FieldError[] = []
  if (lifecycle.postStart) errs.push(...validateHandler(lifecycle.postStart, grace, `${path}.postStart`))
  if (lifecycle.preStop) errs.push(...validateHandler(lifecycle.preStop, grace, `${path}.preStop`))
  const signal = lifecycle.stopSignal as string | undefined
  if (signal !== undefined) {
    const supported = os?.name === 'windows' ? windowsSignals : os?.name === 'linux' ? linuxSignals : undefined
    if (!os) errs.push(forbidden(`${path}.stopSignal`, 'may not be set for containers with empty `spec.os.name`'))
    else if (supported && !supported.includes(signal)) errs.push(notSupported(`${path}.stopSignal`, signal, supported))
  }
  return errs
}
