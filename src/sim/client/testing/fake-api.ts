// A store that speaks just enough HTTP for tests of clients: objects by path, resource versions, conflicts, merge patches, watches.
import type { HttpRequest, HttpResponse } from '../../api/http.ts'
import type { KubeObject } from '../../api/types/object.ts'
import type { ComponentType, Context } from '../../net/context.ts'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly userAgent: string
  readonly status: number
  readonly body: unknown
}

export const fakeApi: ComponentType = {
  type: 'fake-api',
  durable: ['objects', 'seen', 'rv'],
  handlers: {
    'http.request': (ctx: Context, request: HttpRequest, delivery) => {
      const [path = '', query = ''] = request.path.split('?')
      const objects = ctx.table<KubeObject>('objects')
      const call = delivery.call as number
      if (query.includes('watch=true')) {
        ctx.table<string>('watches').put(String(call), path)
        ctx.push(call, { head: { status: 200, headers: {} } }, { flow: 'watch', summary: '200' })
        for (const key of objects.keysWithPrefix(`${path}/`))
          ctx.push(call, { event: { type: 'ADDED', object: objects.get(key) } }, { flow: 'watch', summary: 'ADDED' })
        const bookmark = {
          apiVersion: 'v1',
          kind: 'X',
          metadata: { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } },
        }
        ctx.push(call, { event: { type: 'BOOKMARK', object: bookmark } }, { flow: 'watch', summary: 'BOOKMARK' })
        return
      }
      const body = request.body as KubeObject | undefined
      const answer = (status: number, result?: object): HttpResponse => {
        const n = ctx.table<Seen>('seen').size
        ctx.table<Seen>('seen').put(String(n).padStart(6, '0'), {
          method: request.method,
          path,
          userAgent: request.headers['user-agent'] ?? '',
          status,
          body: request.body ?? null,
        })
        return { status, headers: {}, ...(result ? { body: result } : {}) }
      }
      const store = (key: string, object: KubeObject): KubeObject => {
        const rv = (ctx.table<number>('rv').get('rv') ?? 0) + 1
        ctx.table<number>('rv').put('rv', rv)
        const stored = {
          ...object,
          metadata: { ...object.metadata, resourceVersion: String(rv), uid: object.metadata.uid ?? `uid-${rv}` },
        } as KubeObject
        const type = objects.has(key) ? 'MODIFIED' : 'ADDED'
        objects.put(key, stored)
        for (const [watch, prefix] of ctx.table<string>('watches').entries()) {
          if (key.startsWith(`${prefix}/`)) ctx.push(Number(watch), { event: { type, object: stored } }, { flow: 'watch', summary: type })
        }
        return stored
      }
      const old = objects.get(path)
      const reply = (): HttpResponse => {
        if (request.method === 'POST') {
          const key = `${path}/${body?.metadata.name}`
          return objects.has(key) ? answer(409, { reason: 'AlreadyExists' }) : answer(201, store(key, body as KubeObject))
        }
        if (!old) return answer(404, { reason: 'NotFound' })
        if (request.method === 'GET') return answer(200, old)
        if (request.method === 'PUT') {
          if (body?.metadata.resourceVersion && body.metadata.resourceVersion !== old.metadata.resourceVersion)
            return answer(409, { reason: 'Conflict' })
          return answer(200, store(path, body as KubeObject))
        }
        if (request.method === 'PATCH') return answer(200, store(path, { ...old, ...(request.body as object) } as KubeObject))
        objects.delete(path)
        for (const [watch, prefix] of ctx.table<string>('watches').entries()) {
          if (path.startsWith(`${prefix}/`))
            ctx.push(Number(watch), { event: { type: 'DELETED', object: old } }, { flow: 'watch', summary: 'DELETED' })
        }
        return answer(200, old)
      }
      ctx.reply(call, reply())
    },
    'net.closed': (ctx: Context, payload: { call: number }) => ctx.table<string>('watches').delete(String(payload.call)),
  },
}
