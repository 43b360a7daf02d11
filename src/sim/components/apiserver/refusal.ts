// How a plan stops early. Both are thrown by planning code and caught where the plan was asked for.
import type { Status } from '../../api/status.ts'
import type { Need } from './types.ts'

/** The request is answered with this Status. */
export class Refusal {
  constructor(
    readonly status: Status,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}
}

/** The plan cannot go on without an answer; it will be asked for and the plan made again. */
export class Missing {
  constructor(
    readonly id: string,
    readonly need: Need,
  ) {}
}

export function refuse(status: Status, headers?: Readonly<Record<string, string>>): never {
  throw new Refusal(status, headers)
}
