// v1 Secret (pkg/registry/core/secret, ValidateSecret).
import { invalid, required, tooLong, type FieldError } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { at, has, keysOf, put } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'
import { decodeText, decodedLength, encodeText } from './base64.ts'
import { secretColumns } from './columns.ts'
import { immutableData, maxSecretSize } from './configmap.ts'
import { jsonObjectError } from './gojson.ts'
import { age, immutable, invalidEach, isConfigMapKey, metaUpdate, namespacedMeta } from './rules.ts'

const serviceAccountName = 'kubernetes.io/service-account.name'

function dockerConfig(o: KubeObject, key: string): FieldError[] {
  const field = `data[${key}]`
  if (!has(o.data, key)) return [required(field)]
  const problem = jsonObjectError(decodeText(o.data[key]))
  return problem === undefined ? [] : [invalid(field, '<secret contents redacted>', problem)]
}

const requiredKeys = (o: KubeObject, keys: readonly string[]): FieldError[] =>
  keys.filter((k) => !has(o.data, k)).map((k) => required(`data[${k}]`))

function validateType(o: KubeObject): FieldError[] {
  switch (o.type) {
    case 'kubernetes.io/service-account-token':
      return at(o.metadata.annotations, serviceAccountName) ? [] : [required(`metadata.annotations[${serviceAccountName}]`)]
    case 'kubernetes.io/dockercfg':
      return dockerConfig(o, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return dockerConfig(o, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth':
      return has(o.data, 'username') || has(o.data, 'password') ? [] : requiredKeys(o, ['username', 'password'])
    case 'kubernetes.io/ssh-auth':
      return at(o.data, 'ssh-privatekey') ? [] : [required('data[ssh-privatekey]')]
    case 'kubernetes.io/tls':
      return requiredKeys(o, ['tls.crt', 'tls.key'])
    default:
      return []
  }
}

function validate(o: KubeObject): FieldError[] {
  const errors = namespacedMeta(o)
  let size = 0
  for (const key of keysOf(o.data)) {
    errors.push(...invalidEach(`data[${key}]`, key, isConfigMapKey(key)))
    size += decodedLength(o.data[key])
  }
  if (size > maxSecretSize) errors.push(tooLong('data', maxSecretSize))
  return [...errors, ...validateType(o)]
}

const hasPEM = (text: string, block: RegExp): boolean => block.test(text)

/** tls.X509KeyPair's first complaints; what is inside the blocks is not read. */
function tlsWarnings(o: KubeObject): string[] {
  if (o.type !== 'kubernetes.io/tls') return []
  const certificate = decodeText(at<string>(o.data, 'tls.crt') ?? '')
  const key = decodeText(at<string>(o.data, 'tls.key') ?? '')
  const anyBlock = /(^|\n)-----BEGIN [^\n]*-----[\s\S]*?\n-----END [^\n]*-----/
  if (!hasPEM(certificate, /(^|\n)-----BEGIN CERTIFICATE-----[\s\S]*?\n-----END CERTIFICATE-----/)) {
    if (!hasPEM(certificate, anyBlock)) return ['tls: failed to find any PEM data in certificate input']
    return [
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ' +
        skipped(certificate),
    ]
  }
  if (!hasPEM(key, /(^|\n)-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----[\s\S]*?\n-----END /)) {
    if (!hasPEM(key, anyBlock)) return ['tls: failed to find any PEM data in key input']
    return [
      `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${skipped(key)}`,
    ]
  }
  return []
}

const skipped = (text: string): string => `[${[...text.matchAll(/-----BEGIN ([^\n]*?)-----/g)].map((m) => m[1]).join(' ')}]`

export const secret: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults(o) {
    // Conversion: stringData is written into data and not kept.
    if (o.stringData) {
      if (keysOf(o.stringData).length > 0) {
        o.data ??= {}
        for (const key of keysOf(o.stringData)) put(o.data, key, encodeText(o.stringData[key] ?? ''))
      }
      delete o.stringData
    }
    o.type ||= 'Opaque'
  },
  validate,
  createWarnings: tlsWarnings,
  prepareForUpdate(o, old) {
    o.type ||= old.type
  },
  validateUpdate: (o, old) => [
    ...metaUpdate(o, old),
    ...immutable('type', o.type, old.type),
    ...immutableData(o, old, ['data']),
    ...validate(o),
  ],
  warnings: tlsWarnings,
  selectableFields: (o) => ({ type: o.type ?? '' }),
  columns: secretColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.type ?? '', keysOf(o.data).length, age(o, nowMs)],
}
