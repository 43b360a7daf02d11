// How Go prints structs of upstream's internal types in messages: JSON with the fields' Go names, in declaration order, nothing left out.
import { goJson } from '../../../../api/go-text.ts'

type Print = (value: unknown) => string

/** A Go name, the JSON name, and how to print the field where plain JSON is wrong. */
export type GoField = readonly [goName: string, jsonName: string, print?: Print]

/** A printer for a struct (or a pointer to one: nil is null). */
export const goStruct =
  (...fields: readonly GoField[]): Print =>
  (value) => {
    if (value === undefined || value === null) return 'null'
    const object = value as { [key: string]: unknown }
    return `{${fields.map(([goName, jsonName, print = goJson]) => `"${goName}":${print(Object.hasOwn(object, jsonName) ? object[jsonName] : undefined)}`).join(',')}}`
  }

/** A slice; an empty one is nil after decoding. */
export const goSlice =
  (print: Print): Print =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? `[${value.map(print).join(',')}]` : 'null'

/** A string that is never nil. */
export const goString: Print = (value) => goJson(value ?? '')

export const goSeccompProfile = goStruct(['Type', 'type', goString], ['LocalhostProfile', 'localhostProfile'])
export const goPodResourceClaim = goStruct(
  ['Name', 'name', goString],
  ['ResourceClaimName', 'resourceClaimName'],
  ['ResourceClaimTemplateName', 'resourceClaimTemplateName'],
)
export const goIPs = goSlice(goStruct(['IP', 'ip', goString]))
const requirement = goStruct(['Key', 'key', goString], ['Operator', 'operator', goString], ['Values', 'values', goSlice(goJson)])
export const goNodeSelectorTerm = goStruct(
  ['MatchExpressions', 'matchExpressions', goSlice(requirement)],
  ['MatchFields', 'matchFields', goSlice(requirement)],
)
export const goNodeSelectorTerms = goSlice(goNodeSelectorTerm)
export const goSecurityContext = goStruct(
  ['Capabilities', 'capabilities', goStruct(['Add', 'add', goSlice(goJson)], ['Drop', 'drop', goSlice(goJson)])],
  ['Privileged', 'privileged'],
  [
    'SELinuxOptions',
    'seLinuxOptions',
    goStruct(['User', 'user', goString], ['Role', 'role', goString], ['Type', 'type', goString], ['Level', 'level', goString]),
  ],
  [
    'WindowsOptions',
    'windowsOptions',
    goStruct(
      ['GMSACredentialSpecName', 'gmsaCredentialSpecName'],
      ['GMSACredentialSpec', 'gmsaCredentialSpec'],
      ['RunAsUserName', 'runAsUserName'],
      ['HostProcess', 'hostProcess'],
    ),
  ],
  ['RunAsUser', 'runAsUser'],
  ['RunAsGroup', 'runAsGroup'],
  ['RunAsNonRoot', 'runAsNonRoot'],
  ['ReadOnlyRootFilesystem', 'readOnlyRootFilesystem'],
  ['AllowPrivilegeEscalation', 'allowPrivilegeEscalation'],
  ['ProcMount', 'procMount'],
  ['SeccompProfile', 'seccompProfile', goSeccompProfile],
  ['AppArmorProfile', 'appArmorProfile', goStruct(['Type', 'type', goString], ['LocalhostProfile', 'localhostProfile'])],
)

const goBool: Print = (value) => String(value === true)
const optionalRef = goStruct(['Name', 'name', goString], ['Optional', 'optional'])
const keyRef = goStruct(['Name', 'name', goString], ['Key', 'key', goString], ['Optional', 'optional'])
const envFrom = goStruct(
  ['Prefix', 'prefix', goString],
  ['ConfigMapRef', 'configMapRef', optionalRef],
  ['SecretRef', 'secretRef', optionalRef],
)
const valueFrom = goStruct(
  ['FieldRef', 'fieldRef', goStruct(['APIVersion', 'apiVersion', goString], ['FieldPath', 'fieldPath', goString])],
  [
    'ResourceFieldRef',
    'resourceFieldRef',
    goStruct(
      ['ContainerName', 'containerName', goString],
      ['Resource', 'resource', goString],
      ['Divisor', 'divisor', (v) => goJson(v ?? '0')],
    ),
  ],
  ['ConfigMapKeyRef', 'configMapKeyRef', keyRef],
  ['SecretKeyRef', 'secretKeyRef', keyRef],
  [
    'FileKeyRef',
    'fileKeyRef',
    goStruct(['VolumeName', 'volumeName', goString], ['Path', 'path', goString], ['Key', 'key', goString], ['Optional', 'optional']),
  ],
)
const volumeMount = goStruct(
  ['Name', 'name', goString],
  ['ReadOnly', 'readOnly', goBool],
  ['RecursiveReadOnly', 'recursiveReadOnly'],
  ['MountPath', 'mountPath', goString],
  ['SubPath', 'subPath', goString],
  ['MountPropagation', 'mountPropagation'],
  ['SubPathExpr', 'subPathExpr', goString],
)
const strings = goSlice(goJson)
const nothing: Print = () => 'null'

/** Of the fields that no ephemeral container may have, only their emptiness is printed. */
export const goEphemeralContainer = goStruct(
  ['Name', 'name', goString],
  ['Image', 'image', goString],
  ['Command', 'command', strings],
  ['Args', 'args', strings],
  ['WorkingDir', 'workingDir', goString],
  ['Ports', 'ports', nothing],
  ['EnvFrom', 'envFrom', goSlice(envFrom)],
  ['Env', 'env', goSlice(goStruct(['Name', 'name', goString], ['Value', 'value', goString], ['ValueFrom', 'valueFrom', valueFrom]))],
  ['Resources', 'resources', () => '{"Limits":null,"Requests":null,"Claims":null}'],
  ['ResizePolicy', 'resizePolicy', nothing],
  ['RestartPolicy', 'restartPolicy'],
  ['RestartPolicyRules', 'restartPolicyRules', nothing],
  ['VolumeMounts', 'volumeMounts', goSlice(volumeMount)],
  ['VolumeDevices', 'volumeDevices', goSlice(goStruct(['Name', 'name', goString], ['DevicePath', 'devicePath', goString]))],
  ['LivenessProbe', 'livenessProbe', nothing],
  ['ReadinessProbe', 'readinessProbe', nothing],
  ['StartupProbe', 'startupProbe', nothing],
  ['Lifecycle', 'lifecycle', nothing],
  ['TerminationMessagePath', 'terminationMessagePath', goString],
  ['TerminationMessagePolicy', 'terminationMessagePolicy', goString],
  ['ImagePullPolicy', 'imagePullPolicy', goString],
  ['SecurityContext', 'securityContext', goSecurityContext],
  ['Stdin', 'stdin', goBool],
  ['StdinOnce', 'stdinOnce', goBool],
  ['TTY', 'tty', goBool],
  ['TargetContainerName', 'targetContainerName', goString],
)
