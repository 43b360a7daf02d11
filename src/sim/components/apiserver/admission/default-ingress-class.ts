// DefaultIngressClass: plugin/pkg/admission/network/defaultingressclass.
import type { KubeObject } from '../../../api/types/object.ts'
import { isKind } from './helpers.ts'
import type { AdmissionPlugin } from './types.ts'

const CLASSES = 'ingressclasses.networking.k8s.io'
const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
const OLD_ANNOTATION = 'kubernetes.io/ingress.class'

const newestFirst = (a: KubeObject, b: KubeObject): number => {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (x !== y) return x > y ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  handles: (a) => isKind(a, 'networking.k8s.io', 'ingresses') && a.subresource === '' && a.operation === 'CREATE',
  admit(a) {
    const ingress = a.object as KubeObject
    if (ingress.spec.ingressClassName !== undefined || Object.hasOwn(ingress.metadata.annotations ?? {}, OLD_ANNOTATION)) return undefined
    const found = a.rq.view
      .list(CLASSES)
      .filter((c) => c.metadata.annotations?.[IS_DEFAULT] === 'true')
      .sort(newestFirst)[0]
    if (!found) return undefined
    ingress.spec.ingressClassName = found.metadata.name
    return `ingressClassName ${found.metadata.name}`
  },
}
