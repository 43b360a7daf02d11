// `kubeadm init` after the control plane runs: uploads configuration, marks the control-plane nodes, installs CoreDNS and kube-proxy;
// then the administrator's `kubectl apply` of the CNI add-on. Everything goes through the API server. The process ends when it is done.
import type { KubeObject } from '../../api/types/object.ts'
import { type ApiResult, apiRequest, type ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import { CONTROL_PLANE_LABELS, CONTROL_PLANE_TAINT } from './manifests.ts'

export interface KubeadmConfig {
  readonly client: ClientConfig
  readonly objects: readonly KubeObject[]
  readonly controlPlaneNodes: readonly string[]
}

/** kubeadm polls this often for the API server and for a node to appear. */
const POLL_MS = 500

const config = (ctx: Context): KubeadmConfig => ctx.config as KubeadmConfig

/** Collection path of a kind that init creates. */
const RESOURCES: Readonly<Record<string, string>> = {
  ConfigMap: 'api/v1|configmaps',
  Secret: 'api/v1|secrets',
  ServiceAccount: 'api/v1|serviceaccounts',
  Service: 'api/v1|services',
  Role: 'apis/rbac.authorization.k8s.io/v1|roles',
  RoleBinding: 'apis/rbac.authorization.k8s.io/v1|rolebindings',
  ClusterRole: 'apis/rbac.authorization.k8s.io/v1|clusterroles',
  ClusterRoleBinding: 'apis/rbac.authorization.k8s.io/v1|clusterrolebindings',
  Deployment: 'apis/apps/v1|deployments',
  DaemonSet: 'apis/apps/v1|daemonsets',
}

function collection(object: KubeObject): string {
  const [prefix, resource] = (RESOURCES[object.kind] ?? '').split('|')
  if (!prefix) throw new Error(`kubeadm does not create ${object.kind}`)
  const { namespace } = object.metadata
  return `/${prefix}/${namespace ? `namespaces/${namespace}/` : ''}${resource}`
}

const waitForServer = (ctx: Context): void =>
  void apiRequest(ctx, config(ctx).client, { method: 'GET', path: '/readyz', timeoutMs: 5000 }, { kind: 'kubeadm.ready' })

function create(ctx: Context, index: number): void {
  const object = config(ctx).objects[index]
  if (object)
    apiRequest(
      ctx,
      config(ctx).client,
      { method: 'POST', path: collection(object), body: object },
      { kind: 'kubeadm.created', data: index },
    )
  else ctx.stopProcess(ctx.self, 'init is done')
}

function mark(ctx: Context, index: number): void {
  const name = config(ctx).controlPlaneNodes[index]
  if (name === undefined) {
    create(ctx, 0)
    return
  }
  const body = { metadata: { labels: CONTROL_PLANE_LABELS }, spec: { taints: [CONTROL_PLANE_TAINT] } }
  apiRequest(
    ctx,
    config(ctx).client,
    { method: 'PATCH', path: `/api/v1/nodes/${name}`, body, contentType: 'application/strategic-merge-patch+json' },
    { kind: 'kubeadm.marked', data: index },
  )
}

const status = (result: ApiResult): number => (result.form === 'response' ? result.value.status : 0)

export const kubeadmType: ComponentType = {
  type: 'kubeadm',
  start: waitForServer,
  handlers: {
    'kubeadm.poll': waitForServer,
    'kubeadm.ready': (ctx: Context, result: ApiResult) => {
      // The first node must exist before anything is marked, and namespaces before anything is put into them.
      if (status(result) === 200) mark(ctx, 0)
      else ctx.setTimer('poll', POLL_MS, 'kubeadm.poll')
    },
    'kubeadm.marked': (ctx: Context, result: ApiResult<number>) => {
      if (status(result) === 200) mark(ctx, result.data + 1)
      else ctx.setTimer('mark', POLL_MS, 'kubeadm.mark', result.data)
    },
    'kubeadm.mark': mark,
    'kubeadm.create': create,
    'kubeadm.created': (ctx: Context, result: ApiResult<number>) => {
      const code = status(result)
      if (code === 201 || code === 409) create(ctx, result.data + 1)
      else if (code === 0 || code >= 500 || code === 403 || code === 404) ctx.setTimer('create', POLL_MS, 'kubeadm.create', result.data)
      else
        throw new Error(
          `kubeadm: ${config(ctx).objects[result.data]?.kind} refused: ${JSON.stringify(result.form === 'response' ? result.value.body : result)}`,
        )
    },
  },
}
