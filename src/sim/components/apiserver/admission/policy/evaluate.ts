// Evaluating the expressions of one policy: apiserver/pkg/admission/plugin/policy/validating/validator.go, plugin/cel.
import {
  compileCel,
  DYN,
  type EvalOptions,
  evaluateCel,
  fromJson,
  mapOf,
  type Program,
  STRING,
  type Value,
  type Variables,
} from '../../../../api/cel/index.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { authorize } from '../../authz/authorize.ts'
import type { Attributes } from '../types.ts'
import { namespaceOf } from './match.ts'

const VARIABLES: Variables = {
  object: DYN,
  oldObject: DYN,
  request: DYN,
  params: DYN,
  namespaceObject: DYN,
  authorizer: DYN,
  variables: mapOf(STRING, DYN),
}

/** PerCallLimit is far above what the sample of a lesson needs; this bounds runaway expressions. */
const LIMIT = 1_000_000

export type Outcome = { readonly value: Value } | { readonly error: string }

export interface Environment {
  readonly activation: Readonly<Record<string, Value | (() => Value)>>
  readonly options: EvalOptions
}

type Bindings = Record<string, Value | (() => Value)>

const compiled = new WeakMap<KubeObject, Map<string, { readonly program?: Program; readonly error?: string }>>()

/** Programs are remembered with the policy they are from. */
function programOf(policy: KubeObject, source: string): { readonly program?: Program; readonly error?: string } {
  let programs = compiled.get(policy)
  if (!programs) {
    programs = new Map()
    compiled.set(policy, programs)
  }
  let program = programs.get(source)
  if (!program) {
    program = compileCel(source, VARIABLES)
    programs.set(source, program)
  }
  return program
}

export function run(policy: KubeObject, source: string, env: Environment): Outcome {
  const { program, error } = programOf(policy, source)
  if (!program) return { error: `compilation error: ${error}` }
  const result = evaluateCel(program.expr, env.activation, env.options)
  return result.error === undefined ? { value: result.value } : { error: result.error }
}

export function environment(policy: KubeObject, a: Attributes, params: KubeObject | undefined): Environment {
  const { rq } = a
  const { user } = rq
  const request = {
    kind: { group: a.group, version: rq.served.version, kind: a.kind },
    resource: { group: a.group, version: rq.served.version, resource: a.resource },
    ...(a.subresource ? { subResource: a.subresource } : {}),
    requestKind: { group: a.group, version: rq.served.version, kind: a.kind },
    requestResource: { group: a.group, version: rq.served.version, resource: a.resource },
    ...(a.subresource ? { requestSubResource: a.subresource } : {}),
    name: a.name || a.object?.metadata.name || '',
    ...(a.namespace ? { namespace: a.namespace } : {}),
    operation: a.operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      ...(user.extra ? { extra: user.extra } : {}),
    },
    dryRun: a.dryRun,
    options: {},
  }
  const activation: Bindings = {
    object: () => (a.object ? fromJson(a.object) : null),
    oldObject: () => (a.old ? fromJson(a.old) : null),
    request: () => fromJson(request),
    params: () => (params ? fromJson(params) : null),
    namespaceObject: () => {
      const namespace = namespaceOf(a)
      return namespace ? fromJson(namespace) : null
    },
    authorizer: { cel: 'opaque', type: 'kubernetes.authorization', value: { is: 'Authorizer', user } } as unknown as Value,
  }
  const env: Environment = {
    activation,
    options: {
      limit: LIMIT,
      authorize: (check) => {
        const who = (check as { user?: { name: string; groups: readonly string[] } }).user ?? user
        const c = check as {
          path?: string
          group?: string
          resource?: string
          subresource?: string
          namespace?: string
          name?: string
          verb: string
        }
        return authorize(
          {
            user: who,
            verb: c.verb,
            isResource: c.path === undefined,
            group: c.group ?? '',
            version: '*',
            resource: c.resource ?? '',
            subresource: c.subresource ?? '',
            namespace: c.namespace ?? '',
            name: c.name ?? '',
            path: c.path ?? '',
          },
          rq.view,
        )
      },
    },
  }
  activation.variables = variablesOf(policy, env)
  return env
}

/** spec.variables, each evaluated when it is first asked for. */
function variablesOf(policy: KubeObject, env: Environment): () => Value {
  return () => {
    const entries = new Map<string, readonly [Value, Value]>()
    const list = (policy.spec?.variables ?? []) as { name: string; expression: string }[]
    for (const { name, expression } of list) {
      const outcome = run(policy, expression, {
        ...env,
        activation: { ...env.activation, variables: { cel: 'map', entries: new Map(entries) } as Value },
      })
      if ('value' in outcome) entries.set(`s${name}`, [name, outcome.value])
    }
    return { cel: 'map', entries } as Value
  }
}

export const isTrue = (outcome: Outcome): boolean => 'value' in outcome && outcome.value === true
