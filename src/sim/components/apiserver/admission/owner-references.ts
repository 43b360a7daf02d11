// OwnerReferencesPermissionEnforcement: plugin/pkg/admission/gc. Off by default: blockOwnerDeletion needs the right to update the owner's finalizers.
import { deepEqual } from '../../../../lib/compare.ts'
import { parseGroupVersion } from '../../../api/meta.ts'
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { authorize } from '../authz/authorize.ts'
import { deny } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const allowed = (
  a: Attributes,
  verb: string,
  group: string,
  resource: string,
  subresource: string,
  namespace: string,
  name: string,
): boolean =>
  authorize({ user: a.rq.user, verb, isResource: true, group, version: '*', resource, subresource, namespace, name, path: '' }, a.rq.view)
    .allowed

export const ownerReferencesPermissionEnforcement: AdmissionPlugin = {
  name: 'OwnerReferencesPermissionEnforcement',
  handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && a.object !== undefined,
  validate(a) {
    const next = (a.object as KubeObject).metadata.ownerReferences ?? []
    const old = a.old?.metadata.ownerReferences ?? []
    if (deepEqual(next, old)) return
    if (a.operation === 'UPDATE' && !allowed(a, 'delete', a.group, a.resource, a.subresource, a.namespace, a.name)) {
      deny(a, "cannot set an ownerRef on a resource you can't delete: ")
    }
    const blocking = (list: readonly OwnerReference[]): OwnerReference[] => list.filter((r) => r.blockOwnerDeletion === true)
    for (const ref of blocking(next).filter((r) => !blocking(old).some((o) => o.uid === r.uid))) {
      const { group } = parseGroupVersion(ref.apiVersion)
      const kind = a.rq.view.kinds().find((s) => s.group === group && s.strategy.kind === ref.kind)
      if (!kind)
        return deny(
          a,
          'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ' +
            `${ref.apiVersion} Kind ${ref.kind}: no matches for kind ${JSON.stringify(ref.kind)} in version ${JSON.stringify(ref.apiVersion)}`,
        )
      const namespace = kind.strategy.namespaced ? a.namespace : ''
      if (!allowed(a, 'update', group, kind.strategy.resource, 'finalizers', namespace, ref.name)) {
        deny(a, `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: `)
      }
    }
  },
}
