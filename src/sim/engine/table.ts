import type { Table, Write } from './types.ts'

/** Sorted-key cache is repaired by insertion while few keys came in; past this many it is sorted anew. */
const REPAIR_LIMIT = 64

export class StateTable<V> implements Table<V> {
  private map = new Map<string, V>()
  /** The map belongs to a keyframe as well: copy before the first write. */
  private shared = false
  private sorted: string[] | undefined
  private added: string[] = []
  /** Rises with every write; keyframes share the map of a table whose version has not moved. */
  version = 0

  constructor(
    readonly name: string,
    private readonly journal: (write: Write) => void,
  ) {}

  get size(): number {
    return this.map.size
  }

  get(key: string): V | undefined {
    return this.map.get(key)
  }

  has(key: string): boolean {
    return this.map.has(key)
  }

  put(key: string, value: V): void {
    if (value === undefined) throw new Error(`${this.name}[${key}]: undefined is not a record; delete the key instead`)
    const before = this.map.get(key)
    if (before === value) return
    this.apply(key, value)
    this.journal({ table: this.name, key, before, after: value })
  }

  delete(key: string): void {
    const before = this.map.get(key)
    if (before === undefined) return
    this.apply(key, undefined)
    this.journal({ table: this.name, key, before, after: undefined })
  }

  clear(): void {
    const keys = this.keys()
    this.sorted = undefined // else every deletion would repair it
    this.added = []
    for (const key of keys) this.delete(key)
  }

  /** Writes without journaling: undo, redo and keyframes. */
  apply(key: string, value: V | undefined): void {
    if (this.shared) {
      this.map = new Map(this.map)
      this.shared = false
    }
    this.version++
    if (value === undefined) {
      if (this.map.delete(key)) this.forget(key)
      return
    }
    if (this.sorted && !this.map.has(key)) {
      if (this.added.length < REPAIR_LIMIT) this.added.push(key)
      else this.sorted = undefined
    }
    this.map.set(key, value)
  }

  private forget(key: string): void {
    if (!this.sorted) return
    const at = this.added.indexOf(key)
    if (at >= 0) this.added.splice(at, 1)
    else {
      // A copy, because readers may still hold the old array.
      const next = this.sorted.slice()
      next.splice(lowerBound(next, key), 1)
      this.sorted = next
    }
  }

  keys(): readonly string[] {
    if (!this.sorted) {
      this.sorted = [...this.map.keys()].sort()
      this.added = []
    } else if (this.added.length > 0) {
      const next = this.sorted.slice()
      for (const key of this.added) next.splice(lowerBound(next, key), 0, key)
      this.sorted = next
      this.added = []
    }
    return this.sorted
  }

  values(): V[] {
    return this.keys().map((k) => this.map.get(k) as V)
  }

  entries(): [string, V][] {
    return this.keys().map((k) => [k, this.map.get(k) as V])
  }

  keysWithPrefix(prefix: string): string[] {
    const keys = this.keys()
    const out: string[] = []
    for (let i = lowerBound(keys, prefix); i < keys.length; i++) {
      const key = keys[i] as string
      if (!key.startsWith(prefix)) break
      out.push(key)
    }
    return out
  }

  /** The records as they are now; later writes leave the returned map alone. */
  share(): ReadonlyMap<string, V> {
    this.shared = true
    return this.map
  }

  adopt(map: ReadonlyMap<string, V>): void {
    this.map = map as Map<string, V>
    this.shared = true
    this.sorted = undefined
    this.added = []
    this.version++
  }
}

/** First index whose key is not below `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
