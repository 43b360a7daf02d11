// The hand that breaks and mends: turns a fault of the visitor into what happens to processes, machines, links and containers.
import { apiRequest, type ClientConfig } from '../client/request.ts'
import type { ComponentId } from '../engine/types.ts'
import type { ComponentType, Context } from '../net/context.ts'
import type { Fault } from './faults.ts'

export interface FaultInjectorConfig {
  readonly client: ClientConfig
  /** By host: what systemd starts when the machine boots. */
  readonly boot: Readonly<Record<string, readonly { readonly id: ComponentId; readonly type: string; readonly config: unknown }[]>>
  /** Those that a kubelet runs from its manifest directory. */
  readonly staticPods: readonly ComponentId[]
  /** Processes that can be stopped and started by name, with what they are started with. */
  readonly processes: Readonly<Record<ComponentId, { readonly type: string; readonly host: string; readonly config: unknown }>>
}

/** Static pods would be restarted by their kubelet: to stop one for good, its manifest is moved out of the directory. */
const isStatic = (ctx: Context, process: ComponentId): boolean => config(ctx).staticPods.includes(process)

function moveManifest(ctx: Context, process: ComponentId, kind: 'manifest.remove' | 'manifest.restore'): void {
  const [name = '', host = ''] = process.split('/')
  ctx.send(
    `kubelet/${host}`,
    kind,
    { name },
    { flow: 'control', summary: kind === 'manifest.remove' ? `mv ${name}.yaml away` : `mv ${name}.yaml back` },
  )
}

const config = (ctx: Context): FaultInjectorConfig => ctx.config as FaultInjectorConfig

export const faultInjectorType: ComponentType = {
  type: 'fault-injector',
  handlers: {
    fault: (ctx: Context, { fault }: { fault: Fault }) => {
      switch (fault.kind) {
        case 'kill-container':
          // Which node it runs on is known to the API server only; the signal goes to that node's runtime.
          apiRequest(
            ctx,
            config(ctx).client,
            { method: 'GET', path: `/api/v1/namespaces/${fault.namespace}/pods/${fault.pod}` },
            { kind: 'fault.pod', data: fault },
          )
          break
        case 'delete-pod':
          apiRequest(
            ctx,
            config(ctx).client,
            { method: 'DELETE', path: `/api/v1/namespaces/${fault.namespace}/pods/${fault.pod}` },
            { kind: 'fault.done' },
          )
          break
        case 'stop-process':
          if (isStatic(ctx, fault.process)) moveManifest(ctx, fault.process, 'manifest.remove')
          else ctx.stopProcess(fault.process, 'stopped by the visitor')
          break
        case 'start-process': {
          if (isStatic(ctx, fault.process)) {
            moveManifest(ctx, fault.process, 'manifest.restore')
            break
          }
          const process = config(ctx).processes[fault.process]
          if (process) ctx.startProcess({ id: fault.process, ...process })
          break
        }
        case 'power-off':
          ctx.setHostUp(fault.host, false)
          break
        case 'power-on':
          ctx.setHostUp(fault.host, true)
          for (const process of config(ctx).boot[fault.host] ?? []) ctx.startProcess({ ...process, host: fault.host })
          break
        case 'cut-link':
          ctx.setLink(fault.a, fault.b, { cut: true })
          break
        case 'heal-link':
          ctx.setLink(fault.a, fault.b, { cut: false })
          break
      }
    },
    'fault.done': () => {},
    'fault.pod': (
      ctx: Context,
      result: {
        form: string
        value?: { status: number; body?: { spec?: { nodeName?: string } } }
        data: Extract<Fault, { kind: 'kill-container' }>
      },
    ) => {
      const pod = result.form === 'response' && result.value?.status === 200 ? result.value.body : undefined
      if (!pod?.spec?.nodeName) return
      const { namespace, pod: name, container } = result.data
      ctx.send(
        `containerd/${pod.spec.nodeName}`,
        'runtime.kill',
        { namespace, pod: name, container },
        { flow: 'control', summary: `kill ${container}` },
      )
    },
  },
}
