// pkg/controller/clusterroleaggregation: roles that consist of the rules of others.
import { compareStrings, deepEqual } from '../../../../lib/compare.ts'
import { selectorMatches } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { objectPath, resource } from '../runtime/resources.ts'
import { call, decided, must } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

const FIELD_MANAGER = 'clusterrole-aggregation-controller'

export const clusterRoleAggregationController: Controller<{ role: KubeObject; rules: readonly object[] }> = {
  name: 'clusterrole-aggregation-controller',
  controller: 'clusterrole-aggregation-controller',
  serviceAccount: 'clusterrole-aggregation-controller',
  workers: 5,
  subject: 'clusterroles',
  informers: ['clusterroles'],
  on: {
    clusterroles(rt) {
      for (const role of rt.list('clusterroles')) if (role.aggregationRule) rt.add(role.metadata.name ?? '')
    },
  },
  observe(key, rt) {
    const role = rt.get('clusterroles', key)
    if (!role?.aggregationRule) return undefined
    const rules: object[] = []
    const others = rt.list('clusterroles').sort((a, b) => compareStrings(a.metadata.name ?? '', b.metadata.name ?? ''))
    for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
      for (const other of others) {
        if (other.metadata.name === role.metadata.name || !selectorMatches(selector, other.metadata.labels)) continue
        for (const rule of other.rules ?? []) if (!rules.some((r) => deepEqual(r, rule))) rules.push(rule)
      }
    }
    return { role, rules }
  },
  *reconcile({ role, rules }): Steps<Outcome | void> {
    if (deepEqual(role.rules ?? [], rules)) return
    yield* decided('collect the rules', { rules: rules.length })
    const name = role.metadata.name ?? ''
    const body = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      ...(rules.length > 0 ? { rules } : {}),
    }
    const path = `${objectPath(resource('clusterroles'), undefined, name)}?fieldManager=${FIELD_MANAGER}&force=true`
    must(yield* call({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' }))
  },
}
