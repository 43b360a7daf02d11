// metav1.Status and the errors the API server answers with: pkg/api/errors/errors.go.
import { type FieldError } from './field.ts'
import { type StatusCause, aggregateText, statusCause } from './field-error-text.ts'
import { goQuote } from './go-text.ts'
import { groupResource } from './meta.ts'

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code: number
}

/** A resource by plural name, or a kind: errors name the one or the other. */
export interface GroupName {
  group: string
  name: string
}
export const resourceName = (group: string, resource: string): GroupName => ({ group, name: resource })

const text = (r: GroupName): string => groupResource(r.group, r.name)

/** Details as Go marshals them: empty members are left out, an empty struct stays. */
const details = (
  r: GroupName | undefined,
  name: string,
  rest: { uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number } = {},
): StatusDetails => ({
  ...(name !== '' ? { name } : {}),
  ...(r && r.group !== '' ? { group: r.group } : {}),
  ...(r && r.name !== '' ? { kind: r.name } : {}),
  ...(rest.uid ? { uid: rest.uid } : {}),
  ...(rest.causes && rest.causes.length > 0 ? { causes: rest.causes } : {}),
  ...(rest.retryAfterSeconds ? { retryAfterSeconds: rest.retryAfterSeconds } : {}),
})

export const failure = (code: number, reason: string, message: string, of?: StatusDetails): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  ...(message !== '' ? { message } : {}),
  ...(reason !== '' ? { reason } : {}),
  ...(of ? { details: of } : {}),
  code,
})

/** What DELETE answers when the object is gone. */
export const success = (of?: StatusDetails): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(of ? { details: of } : {}),
  code: 200,
})

export const isStatus = (value: unknown): value is Status =>
  typeof value === 'object' && value !== null && (value as Status).kind === 'Status' && (value as Status).apiVersion === 'v1'

export const notFound = (r: GroupName, name: string): Status =>
  failure(404, 'NotFound', `${text(r)} ${goQuote(name)} not found`, details(r, name))

export const alreadyExists = (r: GroupName, name: string): Status =>
  failure(409, 'AlreadyExists', `${text(r)} ${goQuote(name)} already exists`, details(r, name))

export const generateNameConflict = (r: GroupName, name: string, retryAfterSeconds = 1): Status =>
  failure(
    409,
    'AlreadyExists',
    `${text(r)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`,
    details(r, name, { retryAfterSeconds }),
  )

/** registry.OptimisticLockErrorMsg */
export const optimisticLockErrorMsg = 'the object has been modified; please apply your changes to the latest version and try again'

export const conflict = (r: GroupName, name: string, message: string = optimisticLockErrorMsg): Status =>
  failure(409, 'Conflict', `Operation cannot be fulfilled on ${text(r)} ${goQuote(name)}: ${message}`, details(r, name))

export const applyConflict = (causes: StatusCause[], message: string): Status =>
  failure(409, 'Conflict', message, details(undefined, '', { causes }))

export const unauthorized = (message = 'Unauthorized'): Status => failure(401, 'Unauthorized', message === '' ? 'not authorized' : message)

export const forbidden = (r: GroupName | undefined, name: string, why: string): Status => {
  if (!r || (r.group === '' && r.name === '')) return failure(403, 'Forbidden', `forbidden: ${why}`, details(undefined, name))
  return failure(
    403,
    'Forbidden',
    name === '' ? `${text(r)} is forbidden: ${why}` : `${text(r)} ${goQuote(name)} is forbidden: ${why}`,
    details(r, name),
  )
}

/** `kind` is a kind, not a resource: `Deployment.apps "web" is invalid: …`. */
export const invalid = (kind: GroupName, name: string, errors: readonly FieldError[]): Status =>
  failure(
    422,
    'Invalid',
    errors.length === 0
      ? `${text(kind)} ${goQuote(name)} is invalid`
      : `${text(kind)} ${goQuote(name)} is invalid: ${aggregateText(errors)}`,
    details(kind, name, { causes: errors.map(statusCause) }),
  )

export const badRequest = (message: string): Status => failure(400, 'BadRequest', message)
export const gone = (message: string): Status => failure(410, 'Gone', message)
export const resourceExpired = (message: string): Status => failure(410, 'Expired', message)
export const tooManyRequests = (message: string, retryAfterSeconds: number): Status =>
  failure(429, 'TooManyRequests', message, details(undefined, '', { retryAfterSeconds }))
export const tooManyRequestsError = (message: string): Status => failure(429, 'TooManyRequests', `Too many requests: ${message}`)
export const serviceUnavailable = (message: string): Status => failure(503, 'ServiceUnavailable', message)
export const timeout = (message: string, retryAfterSeconds = 0): Status =>
  failure(504, 'Timeout', `Timeout: ${message}`, details(undefined, '', { retryAfterSeconds }))
export const requestEntityTooLarge = (message: string): Status =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`)
export const internalError = (message: string): Status =>
  failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })

/** An error that upstream returns without dressing it as a Status: code 500 and no reason. */
export const unknownError = (message: string): Status => failure(500, '', message)

export const methodNotSupported = (r: GroupName, action: string): Status =>
  failure(405, 'MethodNotAllowed', `${action} is not supported on resources of kind ${goQuote(text(r))}`, details(r, ''))

export const serverTimeout = (r: GroupName, operation: string, retryAfterSeconds = 0): Status =>
  failure(
    500,
    'ServerTimeout',
    `The ${operation} operation against ${text(r)} could not be completed at this time, please try again.`,
    details(r, operation, { retryAfterSeconds }),
  )

/** storage.NewTooLargeResourceVersionError. */
export const tooLargeResourceVersion = (wanted: string | number, current: string | number, retryAfterSeconds = 1): Status =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds,
  })

const GENERIC: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request'],
}

/** NewGenericServerResponse without resource and cause: unknown resources, methods that a path does not have, failed JSON patches. */
export const genericServerResponse = (code: number, retryAfterSeconds = 0): Status => {
  const [reason, message] = GENERIC[code] ?? [
    'InternalError',
    'an error on the server ("unknown") has prevented the request from succeeding',
  ]
  return failure(code, reason, message, details(undefined, '', { retryAfterSeconds }))
}

/** negotiation.errUnsupportedMediaType */
export const unsupportedMediaType = (accepted: readonly string[]): Status =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** negotiation.errNotAcceptable */
export const notAcceptable = (accepted: readonly string[]): Status =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`)
