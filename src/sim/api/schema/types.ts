// What the API knows about the shape of its objects. One node per place in an object: the same struct may be a
// keyed list's item here and an atomic value there.

export type SchemaType =
  | 'object'
  | 'map'
  | 'array'
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'double'
  | 'quantity'
  | 'intOrString'
  | 'time'
  | 'microTime'
  | 'duration'
  | 'bytes'
  | 'fieldsV1'
  | 'any'

export interface ObjectSchema {
  readonly type: SchemaType
  /** The type as Go's decoder names it: `v1.PodSpec`, `[]v1.Container`, `int32`. */
  readonly goType: string
  /** Definition of an object type: `core.v1.PodSpec`; absent for parts of custom resources. */
  readonly definition?: string
  /** Fields of an object by JSON name. A function, because definitions may contain themselves. */
  readonly fields?: () => ReadonlyMap<string, Field>
  /** Values of a map, items of an array. */
  readonly items?: ObjectSchema
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly listMapKeys?: readonly string[]
  /** Objects and maps that are owned and replaced as a whole (structType, mapType). */
  readonly atomic?: boolean
  readonly enum?: readonly string[]
  /** Custom resources: unknown fields stay. */
  readonly preserveUnknownFields?: boolean
  /** Custom resources: an object with apiVersion, kind and metadata of its own. */
  readonly embeddedResource?: boolean
  /** Custom resources: null is a value. */
  readonly nullable?: boolean
  /** What a missing value becomes: of custom resources always, of built-in kinds only as the key of a list item. */
  readonly default?: unknown
}

export interface Field {
  readonly name: string
  readonly schema: ObjectSchema
  readonly required: boolean
  /** Absent and zero are different values (a Go pointer). */
  readonly pointer: boolean
  /** Written even when zero (no omitempty). */
  readonly always: boolean
  /** A struct that is left out when all of it is zero. */
  readonly omitZero: boolean
  /** Names of the inlined structs that declare the field, from the outside in: Go's errors name them. */
  readonly embedded?: string
  readonly patchStrategy?: readonly string[]
  readonly patchMergeKey?: string
}
