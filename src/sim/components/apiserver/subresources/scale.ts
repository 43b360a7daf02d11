// The scale subresource: pkg/registry/apps/*/storage ScaleREST. An autoscaling/v1 Scale read from the object and written into it.
import { cloneJson, isRecord } from '../../../../lib/own.ts'
import { invalid as invalidField } from '../../../api/field.ts'
import { fieldErrorText } from '../../../api/field-error-text.ts'
import { parentToScale, scaleToParent, updateManagedFields } from '../../../api/managedfields/index.ts'
import { groupVersion } from '../../../api/meta.ts'
import { schemaFor } from '../../../api/schema/index.ts'
import { invalid } from '../../../api/status.ts'
import type { ManagedFieldsEntry } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { translateTimestampSince } from '../../../api/time.ts'
import { partialMetadata } from '../encode/encode.ts'
import { negotiate } from '../encode/negotiate.ts'
import { refuse } from '../refusal.ts'
import type { KindStrategy, Subresource } from '../registry/strategy.ts'
import { decodeKind } from '../rest/body.ts'
import { readObject } from '../rest/get.ts'
import { managerOf } from '../rest/managed.ts'
import { type Options, writeOptions } from '../rest/options.ts'
import { patchDocument, patchType } from '../rest/patch.ts'
import type { ResourceRq } from '../rest/request.ts'
import { checkName, checkUid, updateObject } from '../rest/update.ts'
import { keyFor } from '../rest/store.ts'
import type { Plan } from '../types.ts'

type ScaleDoor = Extract<Subresource, { does: 'scale' }>

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

const strip = (path: string): string[] => path.replace(/^\./, '').split('.')
const at = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((o, k) => (isRecord(o) && Object.hasOwn(o, k) ? o[k] : undefined), object)

function setAt(object: KubeObject, path: readonly string[], value: unknown): KubeObject {
  const copy = cloneJson(object)
  let target: any = copy
  for (const key of path.slice(0, -1)) {
    target[key] ??= {}
    target = target[key]
  }
  target[path[path.length - 1] as string] = value
  return copy
}

export function scaleOf(door: ScaleDoor, object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = object.metadata
  const path = strip(door.specReplicasPath)
  const owners = managedFields ? parentToScale(managedFields, path).value : undefined
  const selector = door.selector(object)
  const replicas = Number(at(object, path) ?? 0)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
      ...(owners && owners.length > 0 ? { managedFields: owners } : {}),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: Number(at(object, strip(door.statusReplicasPath)) ?? 0), ...(selector === '' ? {} : { selector }) },
  }
}

/** As a Table, if the client wants one: the Scale has columns of its own. */
function shown(rq: ResourceRq, scale: KubeObject): object {
  const media = negotiate(rq.request.headers.accept, { pretty: false })
  if (media?.convert?.kind !== 'Table') return scale
  const { name = '', creationTimestamp, resourceVersion = '' } = scale.metadata
  const column = (title: string, type: string, description: string): object => ({ name: title, type, format: '', description, priority: 0 })
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${media.convert.version}`,
    metadata: { resourceVersion },
    columnDefinitions: [
      column('Name', 'string', 'Name must be unique within a namespace.'),
      column('Desired', 'integer', 'Number of desired pods.'),
      column('Available', 'integer', 'Number of available pods.'),
      column('Age', 'string', 'CreationTimestamp is the server time when the object was created.'),
    ],
    rows: [
      {
        cells: [name, scale.spec.replicas ?? 0, scale.status.replicas ?? 0, translateTimestampSince(creationTimestamp, rq.nowMs)],
        object: partialMetadata(scale),
      },
    ],
  }
}

export function planScale(rq: ResourceRq, door: ScaleDoor): Plan {
  const { method } = rq.request
  const { strategy } = rq.served
  if (rq.phase === 'answer' && rq.phaseObject) return { do: 'answer', answer: { code: 200, raw: shown(rq, scaleOf(door, rq.phaseObject)) } }
  if (method === 'GET') return { do: 'answer', answer: { code: 200, raw: shown(rq, scaleOf(door, readObject(rq))) } }
  const path = strip(door.specReplicasPath)
  const isPatch = method === 'PATCH'
  const type = isPatch ? patchType(rq) : ''
  const options = writeOptions(rq, isPatch ? 'PatchOptions' : 'UpdateOptions', type === 'application/apply-patch+yaml')
  const body = isPatch ? undefined : decodeKind(rq, SCALE, options)
  if (body) checkName(rq, body.metadata.name, body.metadata.namespace)
  return updateObject(rq, {
    options,
    door: strategy,
    creates: false,
    next(existing) {
      const old = existing as KubeObject
      const scale = body ?? patchDocument(rq, type, scaleOf(door, old), SCALE, options)
      if (isPatch) checkName(rq, scale.metadata.name, scale.metadata.namespace)
      checkUid(rq, keyFor(rq.served, old.metadata.namespace, old.metadata.name ?? ''), scale.metadata.uid || undefined, old)
      const replicas = Number(scale.spec?.replicas ?? 0)
      if (replicas < 0) refuseScale(rq, replicas)
      const draft = setAt(old, path, replicas)
      draft.metadata.resourceVersion = scale.metadata.resourceVersion || (old.metadata.resourceVersion as string)
      const owners =
        type === 'application/apply-patch+yaml' ? scale.metadata.managedFields : updated(rq, scaleOf(door, old), scale, options)
      takeOwners(strategy, draft, old, owners, path)
      return draft
    },
    answer: (stored) => shown(rq, scaleOf(door, stored)),
  })
}

function refuseScale(rq: ResourceRq, replicas: number): never {
  const error = invalidField('spec.replicas', replicas, 'must be greater than or equal to 0')
  rq.notes.push({ kind: 'apiserver.validation.failed', errors: [fieldErrorText(error)] })
  refuse(invalid({ group: SCALE.group, name: SCALE.kind }, rq.info.name, [error]))
}

/** The managers of the Scale after this update. */
function updated(rq: ResourceRq, old: KubeObject, next: KubeObject, options: Options): readonly ManagedFieldsEntry[] | undefined {
  const schema = schemaFor(SCALE.group, SCALE.version, SCALE.kind)
  if (!schema) return undefined
  return updateManagedFields(old, next, managerOf(rq, options), { schema, gvk: SCALE, subresource: 'scale', nowMs: rq.nowMs }).metadata
    .managedFields
}

function takeOwners(
  strategy: KindStrategy,
  draft: KubeObject,
  old: KubeObject,
  owners: readonly ManagedFieldsEntry[] | undefined,
  path: readonly string[],
): void {
  const entries = scaleToParent(old.metadata.managedFields, owners, path, groupVersion(strategy.group, strategy.version)).value
  if (entries) draft.metadata.managedFields = entries
  else delete draft.metadata.managedFields
}
