// Writes src/sim/api/schema/kubernetes.gen.json (types) and descriptions.gen.json (texts for explain and the editor).
//   node scripts/generate-schema.mjs KM GO
// KM holds the unpacked npm packages kubernetes-models 5.1.0 (KM/package) and @kubernetes-models/apimachinery 3.0.2 (KM/am), both MIT:
//   enumerations, required fields and descriptions.
// GO holds checkouts of kubernetes/{api,apimachinery,apiextensions-apiserver,kube-aggregator} at v0.35.4 (Apache-2.0):
//   which fields exist in this version, and the machine-readable facts of their declarations: JSON name, Go type, pointer or not,
//   omitempty, list type and keys, patch strategy and merge key.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [km, go] = process.argv.slice(2)
if (!km || !go) throw new Error('usage: generate-schema.mjs KM GO')

/** [Go file, type prefix, API group, folder of the npm package] */
const API = (folder, group, version = 'v1') => [
  `api/${folder}/${version}/types.go`,
  `${folder}.${version}`,
  group,
  folder === 'core' ? 'package/v1' : `package/${group}/${version}`,
]
const SOURCES = [
  API('core', ''),
  API('apps', 'apps'),
  API('batch', 'batch'),
  API('autoscaling', 'autoscaling'),
  API('autoscaling', 'autoscaling', 'v2'),
  API('policy', 'policy'),
  API('networking', 'networking.k8s.io'),
  API('discovery', 'discovery.k8s.io'),
  API('coordination', 'coordination.k8s.io'),
  API('events', 'events.k8s.io'),
  API('scheduling', 'scheduling.k8s.io'),
  API('storage', 'storage.k8s.io'),
  API('rbac', 'rbac.authorization.k8s.io'),
  API('authentication', 'authentication.k8s.io'),
  API('authorization', 'authorization.k8s.io'),
  API('certificates', 'certificates.k8s.io'),
  API('admissionregistration', 'admissionregistration.k8s.io'),
  API('flowcontrol', 'flowcontrol.apiserver.k8s.io'),
  API('node', 'node.k8s.io'),
  API('resource', 'resource.k8s.io'),
  ['apimachinery/pkg/apis/meta/v1/types.go', 'meta.v1', 'meta', 'am/apis/meta/v1'],
  [
    'apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go',
    'apiextensions.v1',
    'apiextensions.k8s.io',
    'package/apiextensions.k8s.io/v1',
  ],
  [
    'apiextensions-apiserver/pkg/apis/apiextensions/v1/types_jsonschema.go',
    'apiextensions.v1',
    'apiextensions.k8s.io',
    'package/apiextensions.k8s.io/v1',
  ],
  [
    'kube-aggregator/pkg/apis/apiregistration/v1/types.go',
    'apiregistration.v1',
    'apiregistration.k8s.io',
    'package/apiregistration.k8s.io/v1',
  ],
]
const PACKAGES = {
  metav1: 'meta.v1',
  v1: 'core.v1',
  corev1: 'core.v1',
  core: 'core.v1',
  api: 'core.v1',
  autoscalingv1: 'autoscaling.v1',
  authenticationv1: 'authentication.v1',
  authorizationv1: 'authorization.v1',
  apiv1: 'core.v1',
  authorization: 'authorization.v1',
}
const KNOWN = {
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'types.UID': 'string',
  'types.NodeName': 'string',
  'runtime.RawExtension': 'any',
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'microTime',
  'meta.v1.Duration': 'duration',
  'meta.v1.FieldsV1': 'fieldsV1',
  'apiextensions.v1.JSON': 'any',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'any',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'any',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'any',
  'runtime.Object': 'any',
  'interface{}': 'any',
  string: 'string',
  bool: 'bool',
  int: 'int64',
  int32: 'int32',
  int64: 'int64',
  uint8: 'int32',
  uint64: 'int64',
  float64: 'double',
  float32: 'double',
}

// Declarations of the Go types.
const structs = new Map()
const named = new Map()
for (const [file, prefix, group] of SOURCES) {
  let current
  let comments = []
  let block = false
  for (const raw of readFileSync(join(go, file), 'utf8').split('\n')) {
    const line = raw.trim()
    if (block) {
      if (line.includes('*/')) block = false
      continue
    }
    if (line.startsWith('/*')) {
      block = !line.includes('*/')
      continue
    }
    if (line.startsWith('//')) {
      comments.push(line.slice(2).trim())
      continue
    }
    const marks = comments.filter((c) => c.startsWith('+'))
    if (!current) {
      const struct = /^type (\w+) struct\s*\{(\})?/.exec(line)
      const alias = /^type (\w+)\s+=?\s*([[\]\w.*]+)$/.exec(line)
      if (struct) {
        const type = { prefix, group, name: struct[1], marks, fields: [], inline: [] }
        structs.set(`${prefix}.${struct[1]}`, type)
        if (!struct[2]) current = type
      } else if (alias) named.set(`${prefix}.${alias[1]}`, { prefix, type: alias[2] })
    } else if (line === '}') current = undefined
    else if (line !== '') {
      const field = /^(\w+)\s+([^\s`]+)\s+`(.*)`/.exec(line)
      const embedded = /^\*?([\w.]+)(?:\s+`(.*)`)?$/.exec(line)
      const tag = field?.[3] ?? embedded?.[2] ?? ''
      const json = /json:"([^",]*)([^"]*)"/.exec(tag)
      const goType = field?.[2] ?? embedded?.[1]
      if (json && json[1] !== '' && json[1] !== '-') {
        const of = (name) => new RegExp(`${name}:"([^"]*)"`).exec(tag)?.[1]
        current.fields.push({
          name: json[1],
          goType,
          omit: /omitempty|omitzero/.test(json[2]),
          omitzero: json[2].includes('omitzero'),
          strategy: of('patchStrategy'),
          mergeKey: of('patchMergeKey'),
          marks,
        })
      } else if (embedded || json) current.inline.push(goType)
      // Fields without a JSON name belong to types that marshal themselves.
    }
    comments = []
  }
}

// Enumerations, required fields and descriptions of the npm packages.
const models = new Map()
for (const [, prefix, , folder] of SOURCES) {
  const at = join(km, folder)
  if (!existsSync(at)) continue
  for (const file of readdirSync(at)) {
    if (!file.endsWith('.d.ts') || file === 'index.d.ts' || !statSync(join(at, file)).isFile()) continue
    const text = readFileSync(join(at, file), 'utf8')
    const short = file.slice(0, -5)
    const start = text.indexOf(`export interface I${short} `)
    if (start < 0) continue
    const doc = (before) => {
      const open = before.lastIndexOf('/**')
      return open < 0 || !/\*\/\s*$/.test(before)
        ? ''
        : before
            .slice(open + 3, before.lastIndexOf('*/'))
            .split('\n')
            .map((l) => l.replace(/^\s*\* ?/, '').trimEnd())
            .join('\n')
            .trim()
    }
    const body = text.slice(start, text.indexOf('\n}', start))
    const model = { description: doc(text.slice(0, start)), fields: new Map() }
    for (const match of body.matchAll(/^ {4}"([^"]+)"(\?)?: ((?:.|\n(?! {4}(?:"|\/\*)))+?);$/gm)) {
      const values = [...match[3].matchAll(/"([^"]*)"/g)].map((m) => m[1])
      const before = body.slice(0, match.index)
      const close = before.lastIndexOf(';')
      model.fields.set(match[1], {
        required: !match[2],
        enum: /^(Array<)?"/.test(match[3]) ? values : [],
        description: doc(before.slice(close + 1)),
      })
    }
    models.set(`${prefix}.${short}`, model)
  }
}

const goPackage = (prefix) => prefix.split('.')[1]
/** The schema's type and Go's name of it. */
const resolve = (text, prefix) => {
  if (text.startsWith('*')) return resolve(text.slice(1), prefix)
  if (text === '[]byte') return { type: 'bytes', go: '[]uint8' }
  if (text.startsWith('[]')) {
    const item = resolve(text.slice(2), prefix)
    return { type: `[]${item.type}`, go: `[]${text.startsWith('[]*') ? '*' : ''}${item.go}` }
  }
  const map = /^map\[([\w.]+)\](.*)$/.exec(text)
  if (map) {
    const item = resolve(map[2], prefix)
    return { type: `{}${item.type}`, go: `map[${resolve(map[1], prefix).go}]${item.go}` }
  }
  const basic = KNOWN[text]
  if (basic && !text.includes('.')) return { type: basic, go: text }
  const dot = text.indexOf('.')
  const full = dot < 0 ? `${prefix}.${text}` : PACKAGES[text.slice(0, dot)] ? `${PACKAGES[text.slice(0, dot)]}${text.slice(dot)}` : text
  const goName =
    dot < 0 || PACKAGES[text.slice(0, dot)]
      ? `${goPackage(full.slice(0, full.lastIndexOf('.')))}.${full.slice(full.lastIndexOf('.') + 1)}`
      : text
  if (KNOWN[full]) return { type: KNOWN[full], go: goName }
  if (structs.has(full)) return { type: full, go: goName }
  const alias = named.get(full)
  if (alias) return { type: resolve(alias.type, alias.prefix).type, go: goName }
  throw new Error(`unknown type ${text} in ${prefix}`)
}
/** What the loader assumes, so that only other names are written down. */
const assumedGo = (type) => {
  if (type.startsWith('[]')) return `[]${assumedGo(type.slice(2))}`
  if (type.startsWith('{}')) return `map[string]${assumedGo(type.slice(2))}`
  const scalar = {
    double: 'float64',
    bytes: '[]uint8',
    quantity: 'resource.Quantity',
    intOrString: 'intstr.IntOrString',
    time: 'v1.Time',
    microTime: 'v1.MicroTime',
    duration: 'v1.Duration',
    any: 'runtime.RawExtension',
    fieldsV1: 'v1.FieldsV1',
  }[type]
  if (scalar) return scalar
  return type.includes('.') ? `${type.split('.')[1]}.${type.split('.')[2]}` : type
}

const mark = (marks, name) => marks.filter((m) => m.startsWith(`+${name}=`)).map((m) => m.slice(name.length + 2))
const types = {}
const descriptions = {}
const kinds = {}
const fieldsOf = (key) => {
  const struct = structs.get(key)
  return [
    ...struct.inline.flatMap((text) => {
      const full = text.includes('.') ? `${PACKAGES[text.split('.')[0]]}.${text.split('.')[1]}` : `${struct.prefix}.${text}`
      return full === 'meta.v1.TypeMeta' || !structs.has(full)
        ? []
        : fieldsOf(full).map((f) => ({
            ...f,
            prefix: f.prefix ?? full.slice(0, full.lastIndexOf('.')),
            embedded: [full.slice(full.lastIndexOf('.') + 1), ...(f.embedded ?? [])],
          }))
    }),
    ...struct.fields,
  ]
}
for (const [key, struct] of structs) {
  const model = models.get(key)
  const fields = {}
  for (const field of fieldsOf(key)) {
    const { type, go } = resolve(field.goType, field.prefix ?? struct.prefix)
    const known = model?.fields.get(field.name)
    const words = [type]
    const pointer = field.goType.startsWith('*')
    if (known?.required ?? (!field.omit && !field.marks.includes('+optional'))) words.push('required')
    if (pointer) words.push('pointer')
    if (!field.omit) words.push('always')
    if (field.omitzero && !pointer) words.push('omitzero')
    const list = mark(field.marks, 'listType')[0] ?? mark(field.marks, 'mapType')[0] ?? mark(field.marks, 'structType')[0]
    const keys = mark(field.marks, 'listMapKey')
    if (list === 'map' && keys.length > 0) words.push(`map:${keys.join(',')}`)
    else if (list === 'set' || list === 'atomic' || list === 'granular') words.push(list)
    if (field.strategy) words.push(`patch:${field.strategy}${field.mergeKey ? `:${field.mergeKey}` : ''}`)
    if (field.embedded) words.push(`in:${field.embedded.join('.')}`)
    if (go !== assumedGo(type)) words.push(`go:${go}`)
    const fallback = mark(field.marks, 'default')[0]
    if (fallback && !fallback.startsWith('ref(') && !fallback.includes(' ')) words.push(`default:${fallback}`)
    if (known?.enum.length > 0) words.push(`enum:${known.enum.join('|')}`)
    fields[field.name] = words.join(' ')
  }
  if (mark(struct.marks, 'structType').includes('atomic')) fields[''] = 'atomic'
  types[key] = fields
  if (struct.inline.some((t) => /(^|\.)TypeMeta$/.test(t)) && key !== 'meta.v1.TypeMeta') {
    kinds[`${struct.group === 'meta' ? '' : struct.group}/${struct.prefix.split('.')[1]}/${struct.name}`] ??= key
  }
  if (model) {
    const texts = {}
    if (model.description) texts[''] = model.description
    for (const name of Object.keys(fields)) if (model.fields.get(name)?.description) texts[name] = model.fields.get(name).description
    for (const name of ['apiVersion', 'kind'])
      if (kinds && model.fields.get(name)?.description) texts[name] = model.fields.get(name).description
    descriptions[key] = texts
  }
}
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
const lines = (data) =>
  `{\n${Object.entries(data)
    .map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
    .join(',\n')}\n}`
const write = (name, text) => writeFileSync(`src/sim/api/schema/${name}`, `${text}\n`)
write('kubernetes.gen.json', `{"kinds":${lines(sorted(kinds))},\n"types":${lines(sorted(types))}}`)
write('descriptions.gen.json', lines(sorted(descriptions)))
console.log(`${Object.keys(types).length} types, ${Object.keys(kinds).length} kinds, ${models.size} models`)
