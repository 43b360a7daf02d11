// Request bodies in protobuf, which kubectl and other typed clients send, become JSON before they reach the simulated API server
// (apimachinery/pkg/runtime/serializer/protobuf). Answers are JSON: every such client accepts it as its second choice.
import { getOwn, setOwn } from '../../src/lib/own.ts'
import { definitionSchema, type Field, type ObjectSchema, schemaFor } from '../../src/sim/api/schema/index.ts'
import data from './fields.gen.json' with { type: 'json' }

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

interface WireField {
  /** Empty for a struct that JSON shows inlined. */
  readonly name: string
  readonly form: 'one' | 'list' | 'map'
  readonly type: string
}

/** Deeper than any object, so that a hostile body cannot exhaust the stack. */
const MAX_DEPTH = 60
const MAGIC = Buffer.from('k8s\0')
const messages = data as Readonly<Record<string, string>>
const tables = new Map<string, ReadonlyMap<number, WireField>>()

function tableOf(type: string): ReadonlyMap<number, WireField> {
  let table = tables.get(type)
  if (!table) {
    const text = getOwn(messages, type)
    if (text === undefined) throw new Error(`no message ${type}`)
    table = new Map(
      text === ''
        ? []
        : text.split(',').map((part): [number, WireField] => {
            const [number, name = '', what = ''] = part.split(' ')
            return [
              Number(number),
              {
                name,
                form: what.startsWith('[]') ? 'list' : what.startsWith('{}') ? 'map' : 'one',
                type: what.replace(/^(\[\]|\{\})/, ''),
              },
            ]
          }),
    )
    tables.set(type, table)
  }
  return table
}

interface Wire {
  readonly number: number
  readonly value: bigint | Buffer
  /** 0 varint, 1 eight bytes, 2 bytes, 5 four bytes. */
  readonly kind: number
}

function* wires(buffer: Buffer): Generator<Wire> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = buffer[at++]
      if (byte === undefined) throw new Error('unexpected EOF')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new Error('proto: integer overflow')
  }
  const take = (length: number): Buffer => {
    if (length < 0 || at + length > buffer.length) throw new Error('unexpected EOF')
    at += length
    return buffer.subarray(at - length, at)
  }
  while (at < buffer.length) {
    const tag = Number(varint())
    const kind = tag & 7
    const number = Math.floor(tag / 8)
    if (number === 0) throw new Error('proto: illegal tag 0')
    if (kind === 0) yield { number, kind, value: varint() }
    else if (kind === 1) yield { number, kind, value: take(8) }
    else if (kind === 2) yield { number, kind, value: take(Number(varint())) }
    else if (kind === 5) yield { number, kind, value: take(4) }
    else throw new Error(`proto: illegal wireType ${kind}`)
  }
}

const bytesOf = (w: Wire): Buffer => {
  if (!Buffer.isBuffer(w.value)) throw new Error(`proto: wrong wireType = ${w.kind} for field ${w.number}`)
  return w.value
}
const signed = (w: Wire): bigint => (Buffer.isBuffer(w.value) ? 0n : BigInt.asIntN(64, w.value))
const text = (w: Wire): string => bytesOf(w).toString('utf8')

/** A value of one field of the wire; the messages that JSON shows as something else come first. */
function valueOf(type: string, w: Wire, schema: ObjectSchema | undefined, depth: number): unknown {
  switch (type) {
    case 'string':
      return text(w)
    case 'bool':
      return w.value !== 0n
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      return Number(signed(w))
    case 'double':
      return bytesOf(w).readDoubleLE()
    case 'float':
      return bytesOf(w).readFloatLE()
    case 'bytes':
      return bytesOf(w).toString('base64')
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime':
    case 'meta.v1.Timestamp':
      return timeText(bytesOf(w), type === 'meta.v1.MicroTime')
    case 'meta.v1.Duration':
      return `${Number(numberIn(bytesOf(w), 1)) / 1e9}s`
    case 'api.resource.Quantity':
      return stringIn(bytesOf(w), 1)
    case 'util.intstr.IntOrString':
      return numberIn(bytesOf(w), 1) === 0n ? Number(numberIn(bytesOf(w), 2)) : stringIn(bytesOf(w), 3)
    case 'pkg.runtime.RawExtension':
    case 'meta.v1.FieldsV1': {
      const raw = stringIn(bytesOf(w), 1)
      return raw === '' ? null : JSON.parse(raw)
    }
  }
  // Types that are lists of strings in Go: ExtraValue, Verbs.
  if (getOwn(messages, type) === '1 items []string') return [...wires(bytesOf(w))].filter((i) => i.number === 1).map(text)
  return message(type, bytesOf(w), schema?.definition ?? type, depth)
}

const numberIn = (buffer: Buffer, number: number): bigint => {
  let value = 0n
  for (const w of wires(buffer)) if (w.number === number) value = signed(w)
  return value
}
const stringIn = (buffer: Buffer, number: number): string => {
  let value = ''
  for (const w of wires(buffer)) if (w.number === number) value = text(w)
  return value
}

function timeText(buffer: Buffer, micro: boolean): string | null {
  if (buffer.length === 0) return null
  const seconds = Number(numberIn(buffer, 1))
  const nanos = Number(numberIn(buffer, 2))
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999) throw new Error('Timestamp out of range')
  const base = date.toISOString().slice(0, 19)
  return micro ? `${base}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${base}Z`
}

function fieldsOf(definition: string): ReadonlyMap<string, Field> | undefined {
  try {
    return definitionSchema(definition).fields?.()
  } catch {
    return undefined
  }
}

const isZero = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

/** Go writes the zero value of a field that is not a pointer; JSON leaves it out. */
const isLeftOut = (field: Field | undefined, value: unknown): boolean => isZero(value) && (value === null || !(field?.pointer ?? false))

function message(type: string, buffer: Buffer, definition: string, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new Error('exceeded max depth')
  const out: Record<string, unknown> = {}
  const known = fieldsOf(definition)
  into(out, type, buffer, known, depth)
  return out
}

function into(
  out: Record<string, unknown>,
  type: string,
  buffer: Buffer,
  known: ReadonlyMap<string, Field> | undefined,
  depth: number,
): void {
  const table = tableOf(type)
  for (const w of wires(buffer)) {
    const f = table.get(w.number)
    if (!f) continue
    if (f.name === '') {
      into(out, f.type, bytesOf(w), known, depth)
      continue
    }
    const field = known?.get(f.name)
    if (f.form === 'list') {
      const list = (getOwn(out, f.name) as unknown[] | undefined) ?? []
      const packed = w.kind === 2 && /^(bool|u?int(32|64))$/.test(f.type)
      if (packed) throw new Error(`proto: packed ${f.type} in ${type}`)
      list.push(valueOf(f.type, w, field?.schema.items, depth + 1))
      setOwn(out, f.name, list)
    } else if (f.form === 'map') {
      const map = (getOwn(out, f.name) as Record<string, unknown> | undefined) ?? {}
      let key = ''
      let value: unknown = f.type === 'string' ? '' : undefined
      for (const part of wires(bytesOf(w))) {
        if (part.number === 1) key = text(part)
        else if (part.number === 2) value = valueOf(f.type, part, field?.schema.items, depth + 1)
      }
      setOwn(map, key, value)
      setOwn(out, f.name, map)
    } else {
      const value = valueOf(f.type, w, field?.schema, depth + 1)
      if (!isLeftOut(field, value)) setOwn(out, f.name, value)
    }
  }
}

/** The object in a `runtime.Unknown` envelope, as JSON. @throws Error for what is no such envelope. */
export function protobufToJson(body: Buffer): Record<string, unknown> {
  if (body.length < 4 || !body.subarray(0, 4).equals(MAGIC))
    throw new Error('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  let raw: Buffer = Buffer.alloc(0)
  let apiVersion = ''
  let kind = ''
  for (const w of wires(body.subarray(4))) {
    if (w.number === 1) {
      apiVersion = stringIn(bytesOf(w), 1)
      kind = stringIn(bytesOf(w), 2)
    } else if (w.number === 2) raw = bytesOf(w)
  }
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
  const definition =
    schemaFor(group, version, kind)?.definition ?? (getOwn(messages, `meta.v1.${kind}`) === undefined ? undefined : `meta.v1.${kind}`)
  // An unknown kind is for the API server to refuse.
  if (definition === undefined || getOwn(messages, definition) === undefined) return { apiVersion, kind }
  return { apiVersion, kind, ...message(definition, raw, definition, 0) }
}
