// x-kubernetes-validations of definitions.
import type { FieldError } from '../../../../api/field.ts'
import type { RuleCompiler } from './openapi-schema.ts'
import type { JSONSchemaProps } from './schema.ts'
import type { DefaultRules } from './schema-defaults.ts'

export interface RuleContext {
  schema: JSONSchemaProps
}

export interface CrdRules {
  root(schema: JSONSchemaProps): RuleContext
  compiler: RuleCompiler<RuleContext>
  ofDefault: DefaultRules
  totalCost(context: RuleContext, path: string): FieldError[]
}

export const crdRules = (): CrdRules => ({
  root: (schema) => ({ schema }),
  compiler: { compile: () => [], child: () => undefined },
  ofDefault: () => [],
  totalCost: () => [],
})

export interface ObjectRules {
  validate(object: unknown, old: unknown, warn?: (text: string) => void): FieldError[]
}

export const objectRules = (_schema: JSONSchemaProps | undefined): ObjectRules | undefined => undefined
