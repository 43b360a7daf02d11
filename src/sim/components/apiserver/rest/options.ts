// CreateOptions, UpdateOptions and PatchOptions from the query (metainternalversion's parameter codec).
import { badRequest, invalid } from '../../../api/status.ts'
import { validatePatchOptions, validateWriteOptions } from '../../../api/validation/options.ts'
import { refuse } from '../refusal.ts'
import { queryBool, queryValue, queryValues } from '../request-info.ts'
import type { Rq } from './request.ts'

export interface Options {
  readonly fieldManager: string
  readonly dryRun: boolean
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  readonly force?: boolean
}

export function writeOptions(rq: Rq, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions', apply = false): Options {
  const { query } = rq.info
  const dryRun = queryValues(query, 'dryRun').filter((v) => v !== '')
  const force = queryBool(query, 'force')
  const asked = {
    fieldManager: queryValue(query, 'fieldManager') ?? '',
    dryRun,
    fieldValidation: queryValue(query, 'fieldValidation') ?? '',
    ...(force === undefined ? {} : { force }),
  }
  const errors = kind === 'PatchOptions' ? validatePatchOptions(asked, apply) : validateWriteOptions(asked)
  if (errors.length > 0) refuse(invalid({ group: 'meta.k8s.io', name: kind }, '', errors))
  return {
    fieldManager: asked.fieldManager,
    dryRun: dryRun.length > 0,
    fieldValidation: (asked.fieldValidation || 'Warn') as Options['fieldValidation'],
    ...(force === undefined ? {} : { force }),
  }
}

/** An int64 query parameter, with strconv's error. */
export function queryInt(rq: Rq, key: string): number | undefined {
  const text = queryValue(rq.info.query, key)
  if (text === undefined) return undefined
  if (!/^[+-]?\d+$/.test(text)) refuse(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`))
  return Number(text)
}
