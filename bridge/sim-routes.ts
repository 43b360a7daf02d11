// /sim/v1: what the bridge has beside the Kubernetes API. Needs the admin token.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditEvent } from '../src/sim/components/apiserver/audit.ts'
import { netfilterCommand } from '../src/sim/components/kube-proxy/kernel/commands.ts'
import { type AttemptRecord, schedulingDocument } from '../src/sim/components/scheduler/explain.ts'
import { sendJson, sendStatus, sendText } from './answers.ts'
import { BODY_LIMIT, readBody } from './body.ts'
import type { SimulationHost } from './host.ts'
import { type ClusterChoice, checkChoice } from './options.ts'

const ADMIN = 'Bearer admin-token'
/** A month. */
const MAX_ADVANCE_MS = 31 * 86_400_000
/** Lines of one answer; the caller goes on from there. */
const MAX_LINES = 200_000

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

export async function serveSim(host: SimulationHost, start: ClusterChoice, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const bad = (message: string): void => sendStatus(req, res, 400, 'BadRequest', message)
  const body = await readBody(req)
  if ('aborted' in body) {
    res.destroy()
    return
  }
  if ('tooLarge' in body) {
    res.setHeader('connection', 'close')
    sendStatus(req, res, 413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_LIMIT}`)
    return
  }
  if (req.headers.authorization !== ADMIN) {
    sendStatus(
      req,
      res,
      req.headers.authorization === 'Bearer user-token' ? 403 : 401,
      req.headers.authorization === 'Bearer user-token' ? 'Forbidden' : 'Unauthorized',
      '/sim/v1 needs the admin token',
    )
    return
  }
  const url = new URL(req.url ?? '/', 'https://localhost')
  const route = `${req.method} ${url.pathname.slice('/sim/v1/'.length)}`
  let input: Record<string, unknown> = {}
  if (req.method === 'POST' && body.bytes.length > 0) {
    let parsed: unknown
    try {
      parsed = JSON.parse(body.bytes.toString('utf8'))
    } catch (error) {
      return bad(`the body is not JSON: ${(error as Error).message}`)
    }
    if (!isObject(parsed)) return bad('the body must be a JSON object')
    input = parsed
  }
  if (route === 'POST advance') {
    const { ms } = input
    if (typeof ms !== 'number' || !(ms >= 0) || ms > MAX_ADVANCE_MS) return bad(`ms must be a number from 0 to ${MAX_ADVANCE_MS}`)
    return sendJson(req, res, 200, { now: await host.advance(ms) })
  }
  if (route === 'POST reset') {
    let choice: ClusterChoice
    try {
      const pick = <K extends keyof ClusterChoice>(key: K): ClusterChoice[K] =>
        input[key] === undefined ? start[key] : (input[key] as ClusterChoice[K])
      choice = checkChoice({ profile: pick('profile'), nodes: pick('nodes'), seed: pick('seed'), proxyMode: pick('proxyMode') })
    } catch (error) {
      return bad((error as Error).message)
    }
    await host.reset(choice)
    return sendJson(req, res, 200, { now: host.sim().now, ...choice })
  }
  if (route === 'GET scheduling') {
    const pod = `${url.searchParams.get('namespace') ?? 'default'}/${url.searchParams.get('pod') ?? ''}`
    const attempt = await host.look((sim) => {
      for (const p of sim.processList()) {
        const found = p.type === 'kube-scheduler' ? sim.peek<AttemptRecord>(p.id, 'attempts').get(pod) : undefined
        if (found) return found
      }
      return undefined
    })
    return attempt
      ? sendJson(req, res, 200, schedulingDocument(attempt))
      : sendStatus(req, res, 404, 'NotFound', `no scheduling attempt of ${pod} has finished`)
  }
  const from = Number(url.searchParams.get('from') ?? 0)
  if (route === 'GET audit' || route === 'GET trace') {
    if (!Number.isInteger(from) || from < 0) return bad('from must be a whole number')
    const lines = await host.look((sim) => {
      if (route === 'GET audit') {
        const servers = sim.processList().filter((p) => p.type === 'kube-apiserver')
        return servers
          .flatMap((p) =>
            sim
              .peek<AuditEvent>(p.id, 'audit')
              .entries()
              .filter(([key]) => Number(key) > from)
              .map(([, event]) => JSON.stringify(event)),
          )
          .slice(0, MAX_LINES)
      }
      const out: string[] = []
      const { trace, records } = sim.kernel
      for (let i = from; i < records && out.length < MAX_LINES; i++) if (trace[i] !== undefined) out.push(JSON.stringify(trace[i]))
      return out
    })
    return sendText(req, res, 200, { 'content-type': 'application/x-ndjson' }, lines.length > 0 ? `${lines.join('\n')}\n` : '')
  }
  const node = /^POST nodes\/([^/]+)\/exec$/.exec(route)?.[1]
  if (node !== undefined) {
    const { command } = input
    if (typeof command !== 'string') return bad('command must be a string')
    const known = await host.look((sim) => sim.process(`kernel/${node}`) !== undefined)
    if (!known) return sendStatus(req, res, 404, 'NotFound', `there is no machine ${node}`)
    const output = await host.look((sim) => netfilterCommand(sim.peek(`kernel/${node}`, 'rules'), command))
    if (output) return sendJson(req, res, 200, output)
    return sendStatus(req, res, 501, 'NotImplemented', 'of a shell on a node only iptables-save and nft list are built')
  }
  sendStatus(req, res, 404, 'NotFound', `there is no ${req.method} ${url.pathname}`)
}
