// Groups of the community need an approval: apiextensions-apiserver pkg/apihelpers/helpers.go.
import { getOwn } from '../../../../../lib/own.ts'
import { parseUrl } from '../../../../api/cel/url.ts'
import { goQuote } from '../../../../api/go-text.ts'
import type { KubeObject } from '../../../../api/types/object.ts'

const ANNOTATION = 'api-approved.kubernetes.io'
const LINK = 'see https://github.com/kubernetes/enhancements/pull/1111'

export type Approval = { state: 'invalid' | 'approved' | 'bypassed' | 'missing'; reason: string }

const isProtected = (group: string): boolean => ['k8s.io', 'kubernetes.io'].some((g) => group === g || group.endsWith(`.${g}`))

/** undefined: the group needs none. */
export function approvalState(crd: KubeObject): Approval | undefined {
  if (!isProtected((crd.spec as { group?: string } | undefined)?.group ?? '')) return undefined
  const annotation = getOwn(crd.metadata.annotations, ANNOTATION) ?? ''
  if (annotation === '')
    return { state: 'missing', reason: `protected groups must have approval annotation ${goQuote(ANNOTATION)}, ${LINK}` }
  if (annotation.startsWith('unapproved')) return { state: 'bypassed', reason: `not approved: ${goQuote(annotation)}` }
  const { url } = parseUrl(annotation)
  if (url && url.host !== '' && url.scheme !== '') return { state: 'approved', reason: `approved in ${annotation}` }
  return {
    state: 'invalid',
    reason: `protected groups must have approval annotation ${goQuote(ANNOTATION)} with either a URL or a reason starting with "unapproved", ${LINK}`,
  }
}
