// YAML text as sigs.k8s.io/yaml turns it into JSON: YAML 1.1 scalars without timestamps and sexagesimals, merge keys, aliases
// with a guard against explosion, the first document only; mistakes in the words of go.yaml.in/yaml/v2 (decode.go, resolve.go).
import { base64DecodeText } from '../../lib/base64.ts'
import { compareStrings } from '../../lib/compare.ts'
import { fail, ok, type Result } from '../../lib/result.ts'
import { JsonNumber, JsonObject, MAX_DEPTH, type JsonTree } from './json-text.ts'
import { parseFirstDocument, type YamlNode } from './yaml/parser.ts'
import { YamlSyntaxError } from './yaml/scanner.ts'

export interface YamlTree {
  readonly tree: JsonTree
  /** What yaml.UnmarshalStrict complains about: keys set twice. At most one text. */
  readonly duplicates: readonly string[]
}

const WORDS = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((w) => [w, false] as const),
])
const INFINITE = new Map([
  ...['.nan', '.NaN', '.NAN'].map((w) => [w, 'NaN'] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((w) => [w, '+Inf'] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((w) => [w, '-Inf'] as const),
])
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const TIMESTAMP = /^\d{4}-\d\d?-\d\d?(?:[Tt]\d\d?:\d\d?:\d\d?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(?:\.\d+)?)?$/
const MAX_UINT64 = (1n << 64n) - 1n
const MIN_INT64 = -(1n << 63n)

/** encoding/json's text of a float64. */
export const goFloat = (value: number): string => {
  if (Object.is(value, -0)) return '-0'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21))
    return value
      .toExponential()
      .replace(/e([+-])(\d)$/, 'e$10$2')
      .replace(/e-0(\d)$/, 'e-$1')
  return String(value)
}

/** strconv.ParseInt and ParseUint with base 0, underscores removed. */
const integer = (text: string): bigint | undefined => {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/.exec(text.replaceAll('_', ''))
  if (!match) return undefined
  const [, sign, hex, binary, octal, old, decimal] = match
  const value =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : binary !== undefined
        ? BigInt(`0b${binary}`)
        : octal !== undefined || old !== undefined
          ? BigInt(`0o${octal ?? old}`)
          : BigInt(decimal as string)
  const signed = sign === '-' ? -value : value
  // A sign is no part of an unsigned number.
  return signed > (sign === '' ? MAX_UINT64 : MAX_UINT64 >> 1n) || signed < MIN_INT64 ? undefined : signed
}

class Failure extends Error {}

type ScalarTag = '!!str' | '!!bool' | '!!int' | '!!float' | '!!null' | '!!timestamp' | '!!binary'

interface Scalar {
  readonly tag: ScalarTag
  readonly value: JsonTree
  /** NaN and the infinities have no JSON. */
  readonly unsupported?: string
}

const float = (text: string): Scalar | undefined => {
  const value = Number(text)
  return Number.isFinite(value) ? { tag: '!!float', value: new JsonNumber(goFloat(value)) } : undefined
}

/** Meaning of a plain scalar. */
const resolvePlain = (text: string): Scalar => {
  const string: Scalar = { tag: '!!str', value: text }
  if (WORDS.has(text)) {
    const word = WORDS.get(text) ?? null
    return { tag: word === null ? '!!null' : '!!bool', value: word }
  }
  const infinite = INFINITE.get(text)
  if (infinite) return { tag: '!!float', value: null, unsupported: infinite }
  if (text.startsWith('.')) return (/^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/.test(text) ? float(text) : undefined) ?? string
  if (!/^[-+0-9]/.test(text)) return string
  if (TIMESTAMP.test(text)) return { tag: '!!timestamp', value: text }
  const whole = integer(text)
  if (whole !== undefined) return { tag: '!!int', value: new JsonNumber(whole.toString()) }
  const plain = text.replaceAll('_', '')
  return (FLOAT.test(plain) ? float(plain) : undefined) ?? string
}

const PREFIX = 'tag:yaml.org,2002:'
const RESOLVABLE = new Set(['!!str', '!!bool', '!!int', '!!float', '!!null', '!!timestamp'])

const resolveScalar = (node: YamlNode): Scalar => {
  const string: Scalar = { tag: '!!str', value: node.value }
  const tag = node.tag.startsWith(PREFIX) ? `!!${node.tag.slice(PREFIX.length)}` : node.tag
  if (tag === '' && !node.implicit) return string
  if (tag === '!!binary') {
    const text = base64DecodeText(node.value)
    if (text === undefined) throw new Failure('yaml: !!binary value contains invalid base64 data')
    return { tag: '!!binary', value: text }
  }
  if (tag !== '' && !RESOLVABLE.has(tag)) return string
  const resolved = tag === '!!str' ? string : resolvePlain(node.value)
  if (tag === '' || tag === resolved.tag) return resolved
  if (tag === '!!float' && resolved.tag === '!!int')
    return { tag: '!!float', value: new JsonNumber(goFloat(Number((resolved.value as JsonNumber).text))) }
  throw new Failure(`yaml: cannot decode ${resolved.tag} \`${node.value}\` as a ${tag}`)
}

const EXCESSIVE = 'yaml: document contains excessive aliasing'
const LOW = 400_000
const HIGH = 4_000_000
const MERGE_VALUE = 'yaml: map merge requires map or sequence of maps as the value'

/** %#v of what a key or value decoded to. */
const goSyntax = (tree: JsonTree): string => {
  if (tree === null) return '<nil>'
  if (typeof tree === 'string') return JSON.stringify(tree)
  if (tree instanceof JsonNumber) return tree.text
  if (Array.isArray(tree))
    return `[]interface {}{${tree.map((t: JsonTree) => (t === null ? 'interface {}(nil)' : goSyntax(t))).join(', ')}}`
  if (tree instanceof JsonObject)
    return `map[interface {}]interface {}{${tree.entries.map(([k, v]) => `${JSON.stringify(k)}:${goSyntax(v)}`).join(', ')}}`
  return String(tree)
}

const keyText = (key: JsonTree, tag: ScalarTag, value: JsonTree): string => {
  if (typeof key === 'string') return key
  if (key instanceof JsonNumber) return tag === '!!float' ? String(Number(Math.fround(Number(key.text)).toPrecision(9))) : key.text
  if (typeof key === 'boolean') return String(key)
  throw new Failure(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goSyntax(value)}`)
}

/** What encoding/json refuses first: it writes members in the order of their keys. */
const refuseInfinite = (tree: JsonTree): void => {
  if (tree instanceof JsonNumber) {
    if (/^(?:NaN|[+-]Inf)$/.test(tree.text)) throw new Failure(`json: unsupported value: ${tree.text}`)
  } else if (Array.isArray(tree)) tree.forEach(refuseInfinite)
  else if (tree instanceof JsonObject)
    for (const [, value] of [...tree.entries].sort((a, b) => compareStrings(a[0], b[0]))) refuseInfinite(value)
}

interface Entries {
  readonly map: Map<string, { readonly key: string; value: JsonTree }>
}

const compose = (root: YamlNode): YamlTree => {
  const duplicates: string[] = []
  let decoded = 0
  let aliased = 0
  let aliasDepth = 0
  const active = new Set<YamlNode>()

  const count = (): void => {
    decoded++
    if (aliasDepth > 0) aliased++
    if (aliased <= 100 || decoded <= 1000) return
    const allowed = decoded <= LOW ? 0.99 : decoded >= HIGH ? 0.1 : 0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW))
    if (aliased / decoded > allowed) throw new Failure(EXCESSIVE)
  }
  const withAlias = <T>(node: YamlNode, act: (target: YamlNode) => T): T => {
    if (active.has(node)) throw new Failure(`yaml: anchor '${node.value}' value contains itself`)
    active.add(node)
    aliasDepth++
    const result = act(node.target as YamlNode)
    aliasDepth--
    active.delete(node)
    return result
  }
  const decode = (node: YamlNode, depth: number): JsonTree => {
    count()
    if (depth > MAX_DEPTH) throw new Failure(`yaml: exceeded max depth of ${MAX_DEPTH}`)
    switch (node.kind) {
      case 'alias':
        return withAlias(node, (target) => decode(target, depth + 1))
      case 'scalar': {
        const scalar = resolveScalar(node)
        return scalar.unsupported === undefined ? scalar.value : new JsonNumber(scalar.unsupported)
      }
      case 'sequence':
        return node.children.map((child) => decode(child, depth + 1))
      case 'mapping': {
        const entries: Entries = { map: new Map() }
        fillMapping(node, entries, depth)
        return new JsonObject([...entries.map.values()].map((e) => [e.key, e.value] as const))
      }
    }
  }
  const mergeInto = (node: YamlNode, entries: Entries, depth: number): void => {
    const target = node.kind === 'alias' ? node.target : node
    if (target?.kind === 'mapping') {
      count()
      if (node.kind === 'alias') withAlias(node, (mapping) => fillMapping(mapping, entries, depth))
      else fillMapping(node, entries, depth)
    } else if (node.kind === 'sequence') {
      for (const child of [...node.children].reverse()) {
        if ((child.kind === 'alias' ? child.target : child)?.kind !== 'mapping') throw new Failure(MERGE_VALUE)
        mergeInto(child, entries, depth)
      }
    } else throw new Failure(MERGE_VALUE)
  }
  const fillMapping = (node: YamlNode, entries: Entries, depth: number): void => {
    for (let i = 0; i < node.children.length; i += 2) {
      const keyNode = node.children[i] as YamlNode
      const valueNode = node.children[i + 1] as YamlNode
      if (keyNode.kind === 'scalar' && keyNode.value === '<<' && (keyNode.implicit || keyNode.tag === `${PREFIX}merge`)) {
        mergeInto(valueNode, entries, depth)
        continue
      }
      const key = decode(keyNode, depth + 1)
      if (Array.isArray(key) || key instanceof JsonObject) throw new Failure(`yaml: invalid map key: ${goSyntax(key)}`)
      const value = decode(valueNode, depth + 1)
      const scalarNode = keyNode.kind === 'alias' ? (keyNode.target as YamlNode) : keyNode
      const text = keyText(key, scalarNode.kind === 'scalar' ? resolveScalar(scalarNode).tag : '!!str', value)
      // Keys of different types are different keys, although JSON cannot tell them apart.
      const id = `${typeof key === 'object' ? 'number' : typeof key} ${text}`
      if (entries.map.has(id)) duplicates.push(`  line ${valueNode.line + 1}: key ${goSyntax(key)} already set in map`)
      entries.map.delete(id)
      entries.map.set(id, { key: text, value })
    }
  }

  const tree = decode(root, 1)
  refuseInfinite(tree)
  return { tree, duplicates: duplicates.length > 0 ? [`yaml: unmarshal errors:\n${duplicates.join('\n')}`] : [] }
}

/** The first document of a text. Syntax errors have upstream's `yaml: line N: …` form. */
export const parseYamlText = (text: string): Result<YamlTree> => {
  try {
    const root = parseFirstDocument(text, MAX_DEPTH)
    return ok(root ? compose(root) : { tree: null, duplicates: [] })
  } catch (problem) {
    if (problem instanceof Failure || problem instanceof YamlSyntaxError) return fail(problem.message)
    throw problem
  }
}
