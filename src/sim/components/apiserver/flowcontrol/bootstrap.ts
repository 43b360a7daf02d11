// FlowSchemas and PriorityLevelConfigurations that the API server makes at start-up (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go).
import type { FlowSchemaSpec, PriorityLevelConfigurationSpec } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
const metadata = (name: string) => ({ name, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } })

const level = (name: string, spec: PriorityLevelConfigurationSpec): KubeObject => ({
  apiVersion,
  kind: 'PriorityLevelConfiguration',
  metadata: metadata(name),
  spec,
  status: {},
})

const queued = (name: string, nominalConcurrencyShares: number, lendablePercent: number, queues: number, handSize: number): KubeObject =>
  level(name, {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares,
      lendablePercent,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    },
  })

export const mandatoryPriorityLevels: readonly KubeObject[] = [
  level('catch-all', { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } }),
  level('exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
]

export const suggestedPriorityLevels: readonly KubeObject[] = [
  queued('system', 30, 33, 64, 6),
  queued('node-high', 40, 25, 64, 6),
  queued('leader-election', 10, 0, 16, 4),
  queued('workload-high', 40, 50, 128, 6),
  queued('workload-low', 100, 90, 128, 6),
  queued('global-default', 20, 50, 128, 6),
]

type Rules = NonNullable<FlowSchemaSpec['rules']>[number]
type FlowSubject = Rules['subjects'][number]

const groups = (...names: string[]): FlowSubject[] => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]): FlowSubject[] => names.map((name) => ({ kind: 'User', user: { name } }))
const kubeSystemServiceAccounts: FlowSubject[] = [{ kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } }]
const resources = (verbs: string[], apiGroups: string[], names: string[], clusterScope: boolean) => ({
  apiGroups,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
  resources: names,
  verbs,
})
/** Whatever these subjects ask for. */
const everything = (subjects: FlowSubject[]): Rules => ({
  nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
  resourceRules: [resources(['*'], ['*'], ['*'], true)],
  subjects,
})

const schema = (
  name: string,
  priorityLevel: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: Rules,
): KubeObject => ({
  apiVersion,
  kind: 'FlowSchema',
  metadata: metadata(name),
  spec: {
    ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
    matchingPrecedence,
    priorityLevelConfiguration: { name: priorityLevel },
    rules: [rules],
  },
  status: {},
})

const everybody = groups('system:unauthenticated', 'system:authenticated')
const nodes = groups('system:nodes')

export const mandatoryFlowSchemas: readonly KubeObject[] = [
  schema('exempt', 'exempt', 1, undefined, everything(groups('system:masters'))),
  schema('catch-all', 'catch-all', 10000, 'ByUser', everything(everybody)),
]

export const suggestedFlowSchemas: readonly KubeObject[] = [
  schema('system-nodes', 'system', 500, 'ByUser', everything(nodes)),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    resourceRules: [resources(['*'], [''], ['nodes', 'nodes/status'], true), resources(['*'], ['coordination.k8s.io'], ['leases'], false)],
    subjects: nodes,
  }),
  schema('probes', 'exempt', 2, undefined, {
    nonResourceRules: [{ nonResourceURLs: ['/healthz', '/readyz', '/livez'], verbs: ['get'] }],
    subjects: everybody,
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    resourceRules: [resources(['get', 'create', 'update'], ['coordination.k8s.io'], ['leases'], false)],
    subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...kubeSystemServiceAccounts],
  }),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-controller-manager'))),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(kubeSystemServiceAccounts)),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(everybody)),
]

export const bootstrapPriorityLevels: readonly KubeObject[] = [...mandatoryPriorityLevels, ...suggestedPriorityLevels]
export const bootstrapFlowSchemas: readonly KubeObject[] = [...mandatoryFlowSchemas, ...suggestedFlowSchemas]
