// What only Windows pods have, and what pods of one operating system may not have (pkg/apis/core/validation/validation.go).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type { PodSpec, WindowsSecurityContextOptions } from '../../../../api/types/kubernetes.gen.ts'
import { byteLength } from './maps.ts'
import { isDNS1123Subdomain, pointer } from './rules.ts'
import { containersWithPath } from './visit.ts'

const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const dnsDomain = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`)
/** Go's [[:cntrl:]]. */
const hasControl = (s: string): boolean => [...s].some((c) => c < ' ' || c === '\u007f')

function validateRunAsUserName(name: string, path: string): FieldError[] {
  const bad = (detail: string): FieldError => pointer(invalid(path, name, detail))
  if (name === '') return [bad('runAsUserName cannot be an empty string')]
  if (hasControl(name)) return [bad('runAsUserName cannot contain control characters')]
  const parts = name.split('\\')
  if (parts.length > 2) return [bad('runAsUserName cannot contain more than one backslash')]
  const domain = parts.length === 2 ? parts[0] : undefined
  const user = parts[parts.length - 1] ?? ''
  const errs: FieldError[] = []
  if (domain !== undefined && byteLength(domain) >= 256) errs.push(bad("runAsUserName's Domain length must be under 256 characters"))
  if (domain !== undefined && !netBios.test(domain) && !dnsDomain.test(domain)) {
    errs.push(bad("runAsUserName's Domain doesn't match the NetBios nor the DNS format"))
  }
  if (user === '') errs.push(bad("runAsUserName's User cannot be empty"))
  else if (byteLength(user) > 104) errs.push(bad("runAsUserName's User length must not be longer than 104 characters"))
  if (/^[. ]+$/.test(user)) errs.push(bad("runAsUserName's User cannot contain only periods or spaces"))
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) errs.push(bad('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]'))
  return errs
}

export function validateWindowsOptions(options: WindowsSecurityContextOptions | undefined, path: string): FieldError[] {
  if (!options) return []
  const errs: FieldError[] = []
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName } = options
  if (typeof name === 'string')
    errs.push(...isDNS1123Subdomain(name).map((msg) => pointer(invalid(`${path}.gmsaCredentialSpecName`, name, msg))))
  if (typeof spec === 'string') {
    if (spec === '') errs.push(pointer(invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string')))
    else if (byteLength(spec) > 64 * 1024)
      errs.push(pointer(invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec size must be under 64 KiB')))
  }
  if (typeof runAsUserName === 'string') errs.push(...validateRunAsUserName(runAsUserName, `${path}.runAsUserName`))
  return errs
}

/** validateWindowsHostProcessPod: all containers run as host processes or none does, and then on the host's network. */
export function validateHostProcess(spec: PodSpec, path: string): FieldError[] {
  const errs: FieldError[] = []
  const pod = spec.securityContext?.windowsOptions?.hostProcess
  const containers = containersWithPath(spec, path)
  let count = 0
  for (const { container, path: at } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (typeof pod === 'boolean' && typeof own === 'boolean' && pod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${pod}`
      errs.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, detail))
    }
    if (own ?? pod) count++
  }
  if (count === 0) return errs
  if (count !== containers.length)
    errs.push(invalid(path, '', 'If pod contains any hostProcess containers then all containers must be HostProcess containers'))
  if (!spec.hostNetwork)
    errs.push(invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'))
  return errs
}

const podFields = ['appArmorProfile', 'seLinuxOptions'] as const
const laterPodFields = ['seccompProfile', 'fsGroup', 'fsGroupChangePolicy', 'sysctls'] as const
const lastPodFields = ['runAsUser', 'runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy', 'seLinuxChangePolicy'] as const
const containerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

const isSet = (value: unknown): boolean => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)

function validateWindows(spec: PodSpec, path: string): FieldError[] {
  const reason = 'cannot be set for a windows pod'
  const sc = spec.securityContext ?? {}
  const scErrs = (fields: readonly (keyof typeof sc)[]): FieldError[] =>
    fields.filter((f) => isSet(sc[f])).map((f) => forbidden(`${path}.securityContext.${f}`, reason))
  return [
    ...scErrs(podFields),
    ...(isSet(spec.hostUsers) ? [forbidden(`${path}.hostUsers`, reason)] : []),
    ...(spec.hostPID ? [forbidden(`${path}.hostPID`, reason)] : []),
    ...(spec.hostIPC ? [forbidden(`${path}.hostIPC`, reason)] : []),
    ...scErrs(laterPodFields),
    ...(isSet(spec.shareProcessNamespace) ? [forbidden(`${path}.shareProcessNamespace`, reason)] : []),
    ...scErrs(lastPodFields),
    ...containersWithPath(spec, path).flatMap(({ container, path: at }) =>
      containerFields.filter((f) => isSet(container.securityContext?.[f])).map((f) => forbidden(`${at}.securityContext.${f}`, reason)),
    ),
  ]
}

function validateLinux(spec: PodSpec, path: string): FieldError[] {
  const reason = 'windows options cannot be set for a linux pod'
  return [
    ...(spec.securityContext?.windowsOptions ? [forbidden(`${path}.securityContext.windowsOptions`, reason)] : []),
    ...containersWithPath(spec, path).flatMap(({ container, path: at }) =>
      container.securityContext?.windowsOptions ? [forbidden(`${at}.securityContext.windowsOptions`, reason)] : [],
    ),
  ]
}

/** `spec.os` and what it rules out. */
export function validateOS(spec: PodSpec, path: string): FieldError[] {
  if (!spec.os) return []
  const name = spec.os.name as string | undefined
  if (!name) return [required(`${path}.os.name`)]
  if (name === 'linux') return validateLinux(spec, path)
  return name === 'windows' ? validateWindows(spec, path) : [notSupported(`${path}.os`, name, ['linux', 'windows'])]
}
