// A stand-in for the controllers of profile api that golden cases need at least: default accounts, the root CA's ConfigMap, namespaces that end.
import type { KubeObject } from '../../api/types/object.ts'
import { createInformers } from '../../client/informer.ts'
import { apiRequest, type ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'

const client: ClientConfig = { servers: ['kube-apiserver/control-plane'], user: 'test-controllers', groups: ['system:masters'], userAgent: 'test-controllers' }
const CONTENT = ['pods', 'configmaps', 'secrets', 'serviceaccounts', 'endpoints', 'limitranges', 'resourcequotas', 'persistentvolumeclaims']

const ignore = { kind: 'ignore' }
const informers = createInformers({
  client: () => client,
  onEvent: (ctx, event) => {
    const ns = event.object
    const name = ns.metadata.name as string
    const post = (path: string, body: object): number => apiRequest(ctx, client, { method: 'POST', path: `/api/v1/namespaces/${name}/${path}`, body }, ignore)
    if (event.type === 'ADDED' && !ns.metadata.deletionTimestamp) {
      post('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
      post('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', annotations: {} }, data: { 'ca.crt': 'x'.repeat(120) } })
    }
    if (ns.metadata.deletionTimestamp && (ns.spec.finalizers ?? []).length > 0) {
      for (const resource of CONTENT) apiRequest(ctx, client, { method: 'DELETE', path: `/api/v1/namespaces/${name}/${resource}` }, ignore)
      ctx.setTimer(`finalize/${name}`, 50, 'finalize', ns)
    }
  },
})

export const testControllersType: ComponentType = {
  type: 'test-controllers',
  start: (ctx) => informers.start(ctx, { name: 'namespaces', path: '/api/v1/namespaces' }),
  handlers: {
    ...informers.handlers,
    ignore: () => {},
    finalize: (ctx: Context, ns: KubeObject) => {
      apiRequest(ctx, client, { method: 'PUT', path: `/api/v1/namespaces/${ns.metadata.name}/finalize`, body: { ...ns, spec: {} } }, ignore)
    },
  },
}
