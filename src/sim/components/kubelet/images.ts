// Images of containers (pkg/kubelet/images/image_manager.go): whether to pull, one pull at a time, back-off after failures.
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { Context } from '../../net/context.ts'
import { fullName, parseReference } from '../runtime/images/reference.ts'
import { getBackoff, goDuration, imageBackoff, inBackoffSinceUpdate, nextBackoff } from './backoff.ts'
import { containerEvent } from './events.ts'
import { uidOf } from './pod-util.ts'
import type { ContainerSpec } from './types.ts'
import { cri, once, until, type Work } from './workflow.ts'

export type ImageResult = { readonly imageRef: string; readonly name: string } | { readonly reason: string; readonly message: string }

const queue = (ctx: Context) => ctx.table<string>('pull-queue')

const ticket = (ctx: Context): string => {
  const n = (ctx.table<number>('pull-counter').get('n') ?? 0) + 1
  ctx.table<number>('pull-counter').put('n', n)
  return String(n).padStart(9, '0')
}

export function* ensureImage(pod: Pod, spec: ContainerSpec, wake: (ctx: Context, key: string) => void): Work<ImageResult> {
  const { container } = spec
  const given = container.image ?? ''
  const parsed = parseReference(given)
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): Work<null> =>
    once((ctx) => void containerEvent(ctx, pod, spec, type, reason, message)) as unknown as Work<null>
  if (typeof parsed === 'string') {
    const message = `Failed to apply default image tag "${given}": couldn't parse image name "${given}": ${parsed}`
    yield* event('Warning', 'InspectFailed', message)
    return { reason: 'InvalidImageName', message }
  }
  const name = fullName(parsed)
  const status = yield* cri('ImageStatus', { image: given }, given)
  if (!status.ok) {
    const message = `Failed to inspect image "${given}": ${status.error.message}`
    yield* event('Warning', 'InspectFailed', message)
    return { reason: 'ImageInspectError', message }
  }
  const present = status.value.image
  const policy = container.imagePullPolicy ?? 'IfNotPresent'
  if (policy === 'Never' && !present) {
    const message = `Container image "${given}" is not present with pull policy of Never`
    yield* event('Warning', 'ErrImageNeverPull', message)
    return { reason: 'ErrImageNeverPull', message }
  }
  if (present && policy !== 'Always') {
    yield* event('Normal', 'Pulled', `Container image "${given}" already present on machine and can be accessed by the pod`)
    return { imageRef: present.repoDigests[0] ?? present.id, name }
  }
  const backoffKey = `${uidOf(pod)}_${given}`
  const waiting = yield* once((ctx) =>
    inBackoffSinceUpdate(ctx, imageBackoff, backoffKey) ? { error: getBackoff(ctx, imageBackoff, backoffKey)?.error ?? '' } : null,
  )
  if (waiting) {
    const message = `Back-off pulling image "${given}"`
    yield* event('Normal', 'BackOff', message)
    return { reason: 'ImagePullBackOff', message: waiting.error === '' ? message : `${message}: ${waiting.error}` }
  }
  yield* event('Normal', 'Pulling', `Pulling image "${given}"`)
  const queued = yield* once((ctx) => {
    const mine = ticket(ctx)
    queue(ctx).put(mine, uidOf(pod))
    return { mine, at: ctx.now }
  })
  // serializeImagePulls: first come, first served.
  let turn = yield* once((ctx) => queue(ctx).keys()[0] === queued.mine)
  while (!turn)
    turn =
      (yield* until('image-pull', (ctx) => queue(ctx).keys()[0] === queued.mine, 600_000)) &&
      (yield* once((ctx) => queue(ctx).keys()[0] === queued.mine))
  const start = yield* once((ctx) => ctx.now)
  const pulled = yield* cri('PullImage', { image: given }, given)
  const end = yield* once((ctx) => {
    queue(ctx).delete(queued.mine)
    return ctx.now
  })
  yield* once((ctx) => wake(ctx, 'image-pull'))
  if (!pulled.ok) {
    const message = pulled.error.code === 'NotFound' ? `rpc error: code = NotFound desc = ${pulled.error.message}` : pulled.error.message
    yield* event('Warning', 'Failed', `Failed to pull image "${given}": ${message}`)
    yield* once((ctx) => void nextBackoff(ctx, imageBackoff, backoffKey, ctx.now, `ErrImagePull: ${message}`))
    return { reason: 'ErrImagePull', message }
  }
  const took = goDuration(Math.round(end - start))
  const including = goDuration(Math.round(end - queued.at))
  yield* event(
    'Normal',
    'Pulled',
    `Successfully pulled image "${given}" in ${took} (${including} including waiting). Image size: ${pulled.value.sizeBytes} bytes.`,
  )
  yield* once((ctx) => ctx.table(imageBackoff.table).delete(backoffKey))
  return { imageRef: pulled.value.imageRef, name }
}

/** A pod whose sync was cut short gives up its place. */
export function leavePullQueue(ctx: Context, uid: string): void {
  for (const [ticketKey, owner] of queue(ctx).entries()) if (owner === uid) queue(ctx).delete(ticketKey)
}
