// Expressions of policies and match conditions: apiserver pkg/admission/plugin/cel/compile.go, composition.go.
import { setOwn } from '../../../../../lib/own.ts'
import { compileCel, type Program } from '../../../../api/cel/index.ts'
import { AUTHORIZER } from '../../../../api/cel/declarations.ts'
import { BOOL, DYN, INT, listOf, mapOf, objectOf, STRING, TIMESTAMP, type Type, typeText } from '../../../../api/cel/types.ts'

const strings = (...names: string[]): Record<string, Type> => Object.fromEntries(names.map((n) => [n, STRING]))
const GVK = objectOf('kubernetes.GroupVersionKind', strings('group', 'version', 'kind'))
const GVR = objectOf('kubernetes.GroupVersionResource', strings('group', 'version', 'resource'))

const REQUEST = objectOf('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  requestKind: GVK,
  requestResource: GVR,
  ...strings('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
  userInfo: objectOf('kubernetes.UserInfo', {
    ...strings('username', 'uid'),
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: BOOL,
  options: DYN,
})

const NAMESPACE = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    ...strings('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    creationTimestamp: TIMESTAMP,
    deletionTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    generation: INT,
    finalizers: listOf(STRING),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: objectOf('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectOf('kubernetes.NamespaceCondition', { ...strings('status', 'type', 'message', 'reason'), lastTransitionTime: TIMESTAMP }),
    ),
    phase: STRING,
  }),
})

const RESOURCE_CHECK = objectOf('kubernetes.authorization.ResourceCheck')

/** Which optional variables an expression may use, and the composed ones with their types. */
export interface Scope {
  readonly params: boolean
  readonly authorizer: boolean
  readonly variables?: Readonly<Record<string, Type>>
}

/** Names of types as Go prints them. */
const goName = (t: Type): string => (t.kind === 'null' ? 'null_type' : typeText(t))

/** Compiles an expression that must have one of the given types (any, if none is given); the error is the whole detail. */
export function compileExpression(
  source: string,
  scope: Scope,
  returns: readonly Type['kind'][],
): { readonly program: Program; readonly error?: undefined } | { readonly program?: undefined; readonly error: string } {
  const compiled = compileCel(source, {
    object: DYN,
    oldObject: DYN,
    namespaceObject: NAMESPACE,
    request: REQUEST,
    ...(scope.params ? { params: DYN } : {}),
    ...(scope.authorizer ? { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK } : {}),
    ...(scope.variables ? { variables: objectOf('kubernetes.variables', scope.variables) } : {}),
  })
  if (!compiled.program) return { error: `compilation failed: ${compiled.error}` }
  const { type } = compiled.program
  if (returns.length === 0 || returns.includes(type.kind)) return compiled
  const wanted = returns.map((kind) => (kind === 'null' ? 'null_type' : kind))
  return {
    error:
      wanted.length === 1
        ? `must evaluate to ${wanted[0]} but got ${goName(type)}`
        : `must evaluate to one of [${wanted.join(' ')}] but got ${goName(type)}`,
  }
}

export interface Compiled {
  readonly name: string
  readonly program?: Program
  readonly error?: string
}

/** The policy's variables in order: each may use those before it. */
export function compileVariables(
  variables: readonly { name?: string; expression?: string }[],
  params: boolean,
): { compiled: Compiled[]; types: Record<string, Type> } {
  const types: Record<string, Type> = {}
  const compiled = variables.map(({ name = '', expression = '' }): Compiled => {
    const { program, error } = compileExpression(expression, { params, authorizer: true, variables: { ...types } }, [])
    // One without an expression does not exist for the others.
    if (expression.trim() !== '') setOwn(types, name, program?.type ?? DYN)
    return { name, ...(program ? { program } : { error: error as string }) }
  })
  return { compiled, types }
}
