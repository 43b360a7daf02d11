// Writes bridge/protobuf/fields.gen.json: the field numbers with which typed clients encode objects.
//   node scripts/generate-protobuf.mjs GO
// GO holds checkouts of kubernetes/{api,apimachinery} at v0.35 (Apache-2.0); of their generated.proto files only numbers, names and types are taken.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [go] = process.argv.slice(2)
if (!go) throw new Error('usage: generate-protobuf.mjs GO')
const { types } = JSON.parse(readFileSync('src/sim/api/schema/kubernetes.gen.json', 'utf8'))
const packages = new Set(Object.keys(types).map((name) => name.split('.').slice(0, -1).join('.')))

/** `k8s.io.apimachinery.pkg.apis.meta.v1` → `meta.v1`, `k8s.io.api.core.v1` → `core.v1` */
const shortPackage = (name) => name.split('.').slice(-2).join('.')
const files = []
const walk = (folder) => {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) walk(path)
    else if (name === 'generated.proto') files.push(path)
  }
}
walk(join(go, 'api'))
walk(join(go, 'apimachinery'))

const messages = {}
for (const file of files) {
  const text = readFileSync(file, 'utf8')
    .replace(/\/\/.*$/gm, '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
  const name = shortPackage(/^package ([\w.]+);/m.exec(text)[1])
  if (!packages.has(name)) continue
  for (const [, message, body] of text.matchAll(/^message (\w+) \{([^}]*)\}/gm)) {
    const fields = []
    for (const [, repeated, key, type, field, number] of body.matchAll(
      /^\s*(?:(optional|repeated) |map<(\w+), )?([.\w]+)>? (\w+) = (\d+);/gm,
    )) {
      const scalar = /^[a-z]\w*$/.test(type)
      const full = scalar
        ? type
        : type.startsWith('.')
          ? `${shortPackage(type.slice(1).split('.').slice(0, -1).join('.'))}.${type.split('.').pop()}`
          : `${name}.${type}`
      fields.push({ number, field, type: `${repeated === 'repeated' ? '[]' : key ? '{}' : ''}${full}` })
    }
    messages[`${name}.${message}`] = fields
  }
}
const out = {}
for (const [message, fields] of Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const known = types[message]
  out[message] = fields
    .map(({ number, field: written, type }) => {
      // A few fields are spelled differently in JSON: `uID` is uid.
      const field =
        known && !Object.hasOwn(known, written)
          ? (Object.keys(known).find((k) => k.toLowerCase() === written.toLowerCase()) ?? written)
          : written
      // An inlined struct is a message of its own on the wire and nothing in JSON.
      const inlined = known !== undefined && !Object.hasOwn(known, field) && messages[type]?.some((f) => Object.hasOwn(known, f.field))
      if (known && !inlined && !Object.hasOwn(known, field)) console.error(`${message}.${field}: not in JSON`)
      return `${number} ${inlined ? '' : field} ${type}`
    })
    .join(',')
}
writeFileSync('bridge/protobuf/fields.gen.json', `${JSON.stringify(out, undefined, 0).replaceAll('","', '",\n"')}\n`)
console.log(`${Object.keys(out).length} messages`)
