// Security contexts of pods and containers (pkg/apis/core/validation/validation.go). The cluster allows privileged containers.
import { type FieldError, duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../../../../api/types/kubernetes.gen.ts'
import { goSeccompProfile, goSecurityContext } from './gostruct.ts'
import { byteLength } from './maps.ts'
import type { PodValidationOptions } from './options.ts'
import { localDescendingPath } from './paths.ts'
import { inclusiveRangeError, pointer } from './rules.ts'
import { validateWindowsOptions } from './windows.ts'

/** User and group ids: 0 to MaxInt32. */
export const unixId = (id: number | undefined, path: string): FieldError[] =>
  typeof id === 'number' && (id < 0 || id > 0x7fffffff) ? [invalid(path, id, inclusiveRangeError(0, 0x7fffffff))] : []

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const errs: FieldError[] = []
  const type = profile.type as string | undefined
  if (!type) errs.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(type)) errs.push(notSupported(`${path}.type`, type, profileTypes))
  const local = profile.localhostProfile
  const localPath = `${path}.localhostProfile`
  if (type === 'Localhost') {
    if (typeof local !== 'string') errs.push(required(localPath, 'must be set when seccomp type is Localhost'))
    else errs.push(...localDescendingPath(local, localPath))
  } else if (typeof local === 'string') {
    errs.push({
      ...invalid(localPath, undefined, 'can only be set when seccomp type is Localhost'),
      badValueText: goSeccompProfile(profile),
    })
  }
  return errs
}

export function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const type = profile.type as string | undefined
  const local = profile.localhostProfile
  const localPath = `${path}.localhostProfile`
  if (type === 'Localhost') {
    const missing = required(localPath, 'must be set when AppArmor type is Localhost')
    if (typeof local !== 'string') return [missing]
    const errs: FieldError[] = []
    if (local.trim() !== local) errs.push(invalid(localPath, local, 'must not be padded with whitespace'))
    else if (local === '') errs.push(missing)
    if (byteLength(local) > 4095) errs.push(tooLong(localPath, 4095))
    return errs
  }
  if (type === 'RuntimeDefault' || type === 'Unconfined') {
    return typeof local === 'string' ? [pointer(invalid(localPath, local, 'can only be set when AppArmor type is Localhost'))] : []
  }
  return type
    ? [notSupported(`${path}.type`, type, profileTypes)]
    : [required(`${path}.type`, 'type is required when appArmorProfile is set')]
}

/** ValidateSecurityContext of a container; `hostUsers` false means the pod has its own user namespace. */
export function validateSecurityContext(sc: SecurityContext | undefined, path: string, hostUsers: boolean): FieldError[] {
  if (!sc) return []
  const errs = [...unixId(sc.runAsUser, `${path}.runAsUser`), ...unixId(sc.runAsGroup, `${path}.runAsGroup`)]
  const procMount = sc.procMount as string | undefined
  if (typeof procMount === 'string') {
    if (procMount !== 'Default' && procMount !== 'Unmasked')
      errs.push(notSupported(`${path}.procMount`, procMount, ['Default', 'Unmasked']))
    if (hostUsers && procMount === 'Unmasked')
      errs.push(invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  errs.push(...validateSeccomp(sc.seccompProfile, `${path}.seccompProfile`))
  if (sc.allowPrivilegeEscalation === false) {
    const quoted = (detail: string): FieldError => ({ ...invalid(path, undefined, detail), badValueText: goSecurityContext(sc) })
    if (sc.privileged === true) errs.push(quoted('cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
    for (const capability of sc.capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN')
        errs.push(quoted('cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'))
    }
  }
  return [
    ...errs,
    ...validateWindowsOptions(sc.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(sc.appArmorProfile, `${path}.appArmorProfile`),
  ]
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlPattern = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`
const sysctlRegexp = new RegExp(sysctlPattern)

const ipcSysctls = new Set([
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
  'kernel.shm',
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.msg',
])

/** sysctl(8) accepts both separators: the first one in the name decides what the other means. */
function normalizeSysctl(name: string): string {
  const separator = /[./]/.exec(name)?.[0]
  return separator === '/' ? name.replace(/[./]/g, (c) => (c === '/' ? '.' : '/')) : name
}

/** ValidateHostSysctl: a namespaced sysctl would change the host. */
export function hostSysctlError(name: string, spec: PodSpec, path: string): FieldError | undefined {
  const sysctl = normalizeSysctl(name).split('*')[0] ?? ''
  const ipc = ipcSysctls.has(sysctl) || sysctl.startsWith('fs.mqueue.')
  const net = !ipc && sysctl.startsWith('net.')
  if (spec.hostNetwork && net) return invalid(path, name, "may not be specified when 'hostNetwork' is true")
  if (spec.hostIPC && ipc) return invalid(path, name, "may not be specified when 'hostIPC' is true")
  return undefined
}

function validateSysctls(spec: PodSpec, path: string, opts: PodValidationOptions): FieldError[] {
  const errs: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, sysctl] of (spec.securityContext?.sysctls ?? []).entries()) {
    const at = `${path}[${i}].name`
    const name = sysctl.name ?? ''
    if (!name) errs.push(required(at))
    else if (byteLength(name) > 253 || !sysctlRegexp.test(name)) {
      errs.push(invalid(at, name, `must have at most 253 characters and match regex ${sysctlPattern}`))
    } else if (seen.has(name)) errs.push(duplicate(at, name))
    const host = opts.allowNamespacedSysctlsForHostNetAndHostIPC ? undefined : hostSysctlError(name, spec, at)
    if (host) errs.push(host)
    seen.add(name)
  }
  return errs
}

const oneOf = (value: string | undefined, supported: readonly string[], path: string): FieldError[] =>
  typeof value !== 'string' || supported.includes(value) ? [] : [notSupported(path, value, supported)]

/** validatePodSpecSecurityContext. */
export function validatePodSecurityContext(spec: PodSpec, path: string, opts: PodValidationOptions): FieldError[] {
  const sc = spec.securityContext
  if (!sc) return []
  const errs = [
    ...unixId(sc.fsGroup, `${path}.fsGroup`),
    ...unixId(sc.runAsUser, `${path}.runAsUser`),
    ...unixId(sc.runAsGroup, `${path}.runAsGroup`),
    ...(sc.supplementalGroups ?? []).flatMap((gid, i) => unixId(gid, `${path}.supplementalGroups[${i}]`)),
  ]
  if (spec.shareProcessNamespace === true && spec.hostPID) {
    errs.push(invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  }
  const linuxPolicies = opts.allowAnySELinuxChangePolicy ? ['MountOption', 'Recursive'] : ['Recursive']
  return [
    ...errs,
    ...validateSysctls(spec, `${path}.sysctls`, opts),
    ...oneOf(sc.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`),
    ...validateSeccomp(sc.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(sc.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(sc.appArmorProfile, `${path}.appArmorProfile`),
    ...oneOf(sc.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`),
    ...oneOf(sc.seLinuxChangePolicy, linuxPolicies, `${path}.seLinuxChangePolicy`),
  ]
}

/** validateHostUsers: a pod with its own user namespace shares no other namespace of the host. Upstream capitalises two of the fields. */
export function validateHostUsers(spec: PodSpec, path: string, opts: PodValidationOptions, devices: readonly string[]): FieldError[] {
  if (spec.hostUsers !== false) return []
  const reason = 'when `hostUsers` is false'
  const errs: FieldError[] = []
  if (spec.hostNetwork && !opts.allowUserNamespacesHostNetworkSupport) errs.push(forbidden(`${path}.hostNetwork`, reason))
  if (spec.hostPID) errs.push(forbidden(`${path}.HostPID`, reason))
  if (spec.hostIPC) errs.push(forbidden(`${path}.HostIPC`, reason))
  if (!opts.allowUserNamespacesWithVolumeDevices) errs.push(...devices.map((at) => forbidden(at, reason)))
  return errs
}
