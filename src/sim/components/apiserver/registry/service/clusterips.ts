// clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy belong together: ValidateServiceClusterIPsRelatedFields and the
// upgrade/downgrade rules of pkg/apis/core/validation/validation.go. Used by allocation and by validation.
import type { FieldError } from '../../../../api/field.ts'
import { duplicate, invalid, notSupported, required } from '../../../../api/field.ts'
import type { ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import { isValidIPForLegacyField, parseIP } from '../../../../api/validation/ip.ts'
import { isHeadless } from './semantics.ts'

const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function validateClusterIPsRelatedFields(spec: ServiceSpec, old: ServiceSpec | undefined): FieldError[] {
  if (spec.type === 'ExternalName') return []
  const errors: FieldError[] = []
  const ips = spec.clusterIPs ?? []
  if (spec.clusterIP) {
    if (ips.length === 0) errors.push(required('spec.clusterIPs'))
    else if (ips[0] !== spec.clusterIP) errors.push(invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`'))
  } else if (ips.length > 0) {
    errors.push(invalid('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified'))
  }
  const seen: string[] = []
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (!families.includes(family)) errors.push(notSupported(`spec.ipFamilies[${i}]`, family, families))
    if (seen.includes(family)) errors.push(duplicate(`spec.ipFamilies[${i}]`, family))
    seen.push(family)
  }
  if (spec.ipFamilyPolicy !== undefined && !policies.includes(spec.ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', spec.ipFamilyPolicy, policies))
  }
  let invalidIPs = false
  for (const [i, ip] of ips.entries()) {
    if (i === 0 && ip === 'None') {
      if (ips.length > 1) {
        invalidIPs = true
        errors.push(invalid('spec.clusterIPs', ips, "'None' must be the first and only value"))
      }
      continue
    }
    const messages = isValidIPForLegacyField(`spec.clusterIPs[${i}]`, ip, old?.clusterIPs)
    if (messages.length > 0) invalidIPs = true
    errors.push(...messages)
  }
  if (ips.length > 2) errors.push(invalid('spec.clusterIPs', ips, 'may only hold up to 2 values'))
  if (invalidIPs) return errors
  const isIPv6 = (ip: string): boolean => parseIP(ip)?.family === 'IPv6'
  if (ips.length > 1 && new Set(ips.map(isIPv6)).size < 2) {
    errors.push(invalid('spec.clusterIPs', ips, 'may specify no more than one IP for each IP family'))
  }
  if (!isHeadless(spec)) {
    for (const [i, ip] of ips.entries()) {
      const family = spec.ipFamilies?.[i]
      if (family === 'IPv4' && isIPv6(ip))
        errors.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an IPv4 value as indicated by \`ipFamilies[${i}]\``))
      if (family === 'IPv6' && !isIPv6(ip))
        errors.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an IPv6 value as indicated by \`ipFamilies[${i}]\``))
    }
  }
  return errors
}

const once = 'may not change once set'

export function validateUpgradeDowngradeClusterIPs(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName' || (isHeadless(old) && isHeadless(spec))) return []
  const errors: FieldError[] = []
  const ips = spec.clusterIPs ?? []
  const before = old.clusterIPs ?? []
  const shown = spec.clusterIPs ?? null
  if (ips.length === before.length) {
    for (const [i, ip] of before.entries()) if (ip !== ips[i]) errors.push(invalid(`spec.clusterIPs[${i}]`, shown, once))
  } else if (before.length > ips.length) {
    if (ips.length === 0) errors.push(invalid('spec.clusterIPs[0]', shown, 'primary clusterIP can not be unset'))
    else if (ips[0] !== before[0]) errors.push(invalid('spec.clusterIPs[0]', shown, once))
    if (ips.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      errors.push(
        invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP"),
      )
    }
  } else if (before.length > 0 && ips[0] !== before[0]) {
    errors.push(invalid('spec.clusterIPs[0]', shown, once))
  }
  return errors
}

export function validateUpgradeDowngradeIPFamilies(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return []
  if (isHeadless(old) || isHeadless(spec)) return []
  const errors: FieldError[] = []
  const given = spec.ipFamilies ?? []
  const before = old.ipFamilies ?? []
  const ips = spec.clusterIPs ?? null
  const shown = spec.ipFamilies ?? null
  if (given.length === before.length) {
    for (const [i, family] of before.entries()) if (family !== given[i]) errors.push(invalid('spec.ipFamilies[0]', shown, once))
  } else if (before.length > given.length) {
    if ((ips?.length ?? 0) === 0) errors.push(invalid('spec.ipFamilies[0]', shown, 'primary ipFamily can not be unset'))
    if (given.length > 0 && given[0] !== before[0]) errors.push(invalid('spec.ipFamilies[0]', ips, once))
    if (given.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      errors.push(
        invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary ipFamily"),
      )
    }
  } else if (before.length > 0 && given[0] !== before[0]) {
    errors.push(invalid('spec.ipFamilies[0]', ips, once))
  }
  return errors
}
