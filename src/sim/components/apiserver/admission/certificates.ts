// CertificateApproval, CertificateSigning, CertificateSubjectRestriction: plugin/pkg/admission/certificates.
import { base64Decode } from '../../../../lib/base64.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { authorize } from '../authz/authorize.ts'
import { deny, isKind } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const isRequest = (a: Attributes): boolean => isKind(a, 'certificates.k8s.io', 'certificatesigningrequests')

/** Whether the user may approve or sign for a signer, by its name or for its whole domain. */
function permitted(a: Attributes, verb: 'approve' | 'sign', signer: string): boolean {
  const { user, view } = a.rq
  const names = [signer, `${signer.split('/')[0]}/*`]
  return names.some(
    (name) =>
      authorize(
        {
          user,
          verb,
          isResource: true,
          group: 'certificates.k8s.io',
          version: '*',
          resource: 'signers',
          subresource: '',
          namespace: '',
          name,
          path: '',
        },
        view,
      ).allowed,
  )
}

export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  handles: (a) => isRequest(a) && a.operation === 'UPDATE' && a.subresource === 'approval',
  validate(a) {
    const signer: string = (a.old as KubeObject).spec?.signerName ?? ''
    if (!permitted(a, 'approve', signer)) deny(a, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
  },
}

export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  handles: (a) => isRequest(a) && a.operation === 'UPDATE' && a.subresource === 'status',
  validate(a) {
    const [next, old] = [(a.object as KubeObject).status ?? {}, (a.old as KubeObject).status ?? {}]
    if (next.certificate === old.certificate && JSON.stringify(next.conditions ?? []) === JSON.stringify(old.conditions ?? [])) return
    const signer: string = (a.old as KubeObject).spec?.signerName ?? ''
    if (!permitted(a, 'sign', signer)) deny(a, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
  },
}

/** Organization attribute (2.5.4.10) with the value system:masters, as DER has it. */
const ORGANIZATION_OID = [0x55, 0x04, 0x0a]
const MASTERS = 'system:masters'

function namesMasters(request: string): boolean {
  const pem = String.fromCharCode(...(base64Decode(request) ?? []))
  const body = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(pem)?.[1]
  const der = body === undefined ? undefined : base64Decode(body.replace(/\s/g, ''))
  if (!der) return false
  const text = String.fromCharCode(...der)
  const oid = String.fromCharCode(...ORGANIZATION_OID)
  // OID, one tag byte, one length byte, the value.
  for (let at = text.indexOf(oid); at >= 0; at = text.indexOf(oid, at + 1)) {
    if (der[at + 4] === MASTERS.length && text.startsWith(MASTERS, at + 5)) return true
  }
  return false
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (a) => isRequest(a) && a.operation === 'CREATE' && a.subresource === '',
  validate(a) {
    const { spec = {} } = a.object as KubeObject
    if (spec.signerName !== 'kubernetes.io/kube-apiserver-client' || !namesMasters(spec.request ?? '')) return
    deny(a, `use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed`)
  },
}
