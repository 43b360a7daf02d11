// PodSecurity: k8s.io/pod-security-admission/admission. Namespace labels say what their pods may do.
import { type FieldError, invalid as invalidField } from '../../../../api/field.ts'
import { invalid } from '../../../../api/status.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { deepEqual } from '../../../../../lib/compare.ts'
import { refuse } from '../../refusal.ts'
import { deny, isPod } from '../helpers.ts'
import type { AdmissionPlugin, Attributes } from '../types.ts'
import { detailText, evaluate, type Level } from './checks.ts'

const PREFIX = 'pod-security.kubernetes.io/'
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted']
/** Kinds with a pod template, by group and resource. */
const TEMPLATES: Readonly<Record<string, (o: KubeObject) => KubeObject | undefined>> = {
  '/podtemplates': (o) => o.template,
  '/replicationcontrollers': (o) => o.spec?.template,
  'apps/deployments': (o) => o.spec?.template,
  'apps/replicasets': (o) => o.spec?.template,
  'apps/statefulsets': (o) => o.spec?.template,
  'apps/daemonsets': (o) => o.spec?.template,
  'batch/jobs': (o) => o.spec?.template,
  'batch/cronjobs': (o) => o.spec?.jobTemplate?.spec?.template,
}

interface LevelVersion {
  readonly level: Level
  readonly version: string
}

interface Policy {
  readonly enforce: LevelVersion
  readonly warn: LevelVersion
}

const text = ({ level, version }: LevelVersion): string => `${level}:${version}`
const PRIVILEGED: LevelVersion = { level: 'privileged', version: 'latest' }

/** PolicyToEvaluate: what the labels say, and what is wrong with them. */
function policyOf(labels: Readonly<Record<string, string>>): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = []
  const read = (mode: string): LevelVersion => {
    let { level, version } = PRIVILEGED
    const key = PREFIX + mode
    if (Object.hasOwn(labels, key)) {
      const value = labels[key] as string
      if (LEVELS.includes(value)) level = value as Level
      else {
        // A level that nobody knows is taken for the strictest when it must be enforced.
        if (mode === 'enforce') level = 'restricted'
        errors.push(invalidField(`metadata.labels[${key}]`, value, `must be one of ${LEVELS.join(', ')}`))
      }
    }
    const versionKey = `${key}-version`
    if (Object.hasOwn(labels, versionKey)) {
      const value = labels[versionKey] as string
      if (value === 'latest' || /^v1\.(0|[1-9]\d*)$/.test(value)) version = value
      else errors.push(invalidField(`metadata.labels[${versionKey}]`, value, 'must be "latest" or "v1.x"'))
    }
    return { level, version }
  }
  const enforce = read('enforce')
  read('audit')
  const warn = read('warn')
  return { policy: { enforce, warn }, errors }
}

const labelsOf = (o: KubeObject | undefined): Readonly<Record<string, string>> => (o?.metadata.labels ?? {}) as Record<string, string>

function admitNamespace(a: Attributes): void {
  if (a.subresource !== '') return
  const namespace = a.object as KubeObject
  const { policy, errors } = policyOf(labelsOf(namespace))
  const refuseErrors = (): never => refuse(invalid({ group: '', name: 'Namespace' }, namespace.metadata.name ?? '', errors))
  if (a.operation === 'CREATE') {
    if (errors.length > 0) refuseErrors()
    return
  }
  const before = policyOf(labelsOf(a.old))
  if (errors.length > 0 && before.errors.length === 0) refuseErrors()
  const { enforce } = policy
  const was = before.policy.enforce
  const stricter =
    LEVELS.indexOf(enforce.level) > LEVELS.indexOf(was.level) || (enforce.level === was.level && enforce.version !== was.version)
  if (!stricter || enforce.level === 'privileged') return
  warnOfExisting(a, namespace, enforce)
}

/** Pods that are there already stay; the client is told which would not be let in. */
function warnOfExisting(a: Attributes, namespace: KubeObject, enforce: LevelVersion): void {
  const byDetail = new Map<string, string[]>()
  for (const pod of a.rq.view.list('pods', namespace.metadata.name)) {
    const violations = evaluate(enforce.level, pod.spec, (pod.metadata.annotations ?? {}) as Record<string, string>)
    if (violations.length === 0) continue
    const reasons = violations.map((v) => v.reason).join(', ')
    byDetail.set(reasons, [...(byDetail.get(reasons) ?? []), pod.metadata.name ?? ''])
  }
  if (byDetail.size === 0) return
  a.rq.warnings.push(
    `existing pods in namespace ${JSON.stringify(namespace.metadata.name)} violate the new PodSecurity enforce level ${JSON.stringify(text(enforce))}`,
  )
  const lines = [...byDetail].map(([reasons, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : others.length === 1 ? ' (and 1 other pod)' : ` (and ${others.length} other pods)`
    return `${first}${more}: ${reasons}`
  })
  a.rq.warnings.push(...lines.sort())
}

const namespacePolicy = (a: Attributes): Policy => policyOf(labelsOf(a.rq.view.get('namespaces', undefined, a.namespace))).policy

function admitPod(a: Attributes): void {
  if (a.subresource !== '' && a.subresource !== 'ephemeralcontainers') return
  const pod = a.object as KubeObject
  if (a.operation === 'UPDATE' && !significant(pod, a.old as KubeObject)) return
  const { enforce, warn } = namespacePolicy(a)
  if (enforce.level === 'privileged' && warn.level === 'privileged') return
  const annotations = (pod.metadata.annotations ?? {}) as Record<string, string>
  const denied = evaluate(enforce.level, pod.spec, annotations)
  if (denied.length > 0) deny(a, `violates PodSecurity ${JSON.stringify(text(enforce))}: ${detailText(denied)}`)
  warnOf(a, warn, pod.spec, annotations)
}

function warnOf(a: Attributes, warn: LevelVersion, spec: object, annotations: Readonly<Record<string, string>>): void {
  const violations = evaluate(warn.level, spec, annotations)
  if (violations.length > 0) a.rq.warnings.push(`would violate PodSecurity ${JSON.stringify(text(warn))}: ${detailText(violations)}`)
}

/** isSignificantPodUpdate: images, deadlines and tolerations do not matter. */
function significant(pod: KubeObject, old: KubeObject): boolean {
  const seccomp = (p: KubeObject): object =>
    Object.fromEntries(
      Object.entries(p.metadata.annotations ?? {}).filter(
        ([k]) => k.startsWith('container.apparmor.security.beta.kubernetes.io/') || k.startsWith('seccomp.security.alpha.kubernetes.io/'),
      ),
    )
  if (!deepEqual(seccomp(pod), seccomp(old))) return true
  const bare = ({ spec }: KubeObject): object => {
    const { activeDeadlineSeconds: _, tolerations: __, terminationGracePeriodSeconds: ___, ...rest } = spec
    const strip = (list: object[] | undefined): object[] => (list ?? []).map((c) => ({ ...c, image: '', resources: {} }))
    return {
      ...rest,
      containers: strip(rest.containers),
      initContainers: strip(rest.initContainers),
      ephemeralContainers: strip(rest.ephemeralContainers),
    }
  }
  return !deepEqual(bare(pod), bare(old))
}

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  handles: (a) =>
    (a.operation === 'CREATE' || a.operation === 'UPDATE') &&
    ((a.group === '' && (a.resource === 'namespaces' || a.resource === 'pods')) || Object.hasOwn(TEMPLATES, `${a.group}/${a.resource}`)),
  validate(a) {
    if (a.resource === 'namespaces') admitNamespace(a)
    else if (isPod(a)) admitPod(a)
    else if (a.subresource === '') {
      const template = TEMPLATES[`${a.group}/${a.resource}`]?.(a.object as KubeObject)
      if (template?.spec)
        warnOf(a, namespacePolicy(a).warn, template.spec, (template.metadata?.annotations ?? {}) as Record<string, string>)
    }
  },
}
