// JSON patch, RFC 6902, with the habits of evanphx/json-patch v4 (patch.go): replace sets a missing member, a pointer loses what
// stands before its first slash, negative indices count from the end, a missing value is null.
import { deepEqual } from '../../../lib/compare.ts'
import { cloneJson, getOwn, isRecord, setOwn } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'

export interface JsonPatchOperation {
  readonly op?: unknown
  readonly path?: unknown
  readonly from?: unknown
  readonly value?: unknown
}

export const MAX_JSON_PATCH_OPERATIONS = 10_000

class PatchError extends Error {}

const stop = (message: string): never => {
  throw new PatchError(message)
}

type Container = Record<string, unknown> | unknown[]

const unescape = (part: string): string => part.replace(/~[01]/g, (m) => (m === '~1' ? '/' : '~'))

const index = (text: string): number =>
  /^[+-]?[0-9]+$/.test(text) ? Number(text) : stop(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
const outOfRange = (i: number): never => stop(`Unable to access invalid index: ${i}: invalid index referenced`)

const get = (container: Container, key: string): unknown => {
  if (!Array.isArray(container)) return getOwn(container, key)
  let i = index(key)
  if (i < 0) i = i < -container.length ? outOfRange(i) : i + container.length
  return i >= container.length ? outOfRange(i) : container[i]
}

const add = (container: Container, key: string, value: unknown): void => {
  if (!Array.isArray(container)) return setOwn(container, key, value)
  if (key === '-') {
    container.push(value)
    return
  }
  if (!/^[+-]?[0-9]+$/.test(key))
    stop(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
  let i = Number(key)
  const size = container.length + 1
  if (i >= size) outOfRange(i)
  if (i < 0) i = i < -size ? outOfRange(i) : i + size
  container.splice(i, 0, value)
}

const set = (container: Container, key: string, value: unknown): void => {
  if (!Array.isArray(container)) return setOwn(container, key, value)
  let i = index(key)
  if (i < 0) i = i < -container.length ? outOfRange(i) : i + container.length
  container[i] = value
}

const remove = (container: Container, key: string): void => {
  if (!Array.isArray(container)) {
    if (!Object.hasOwn(container, key)) stop(`Unable to remove nonexistent key: ${key}: missing value`)
    delete container[key]
    return
  }
  let i = index(key)
  if (i >= container.length) outOfRange(i)
  if (i < 0) i = i < -container.length ? outOfRange(i) : i + container.length
  container.splice(i, 1)
}

const isContainer = (value: unknown): value is Container => Array.isArray(value) || isRecord(value)

const find = (document: unknown, pointer: string): { container: Container; key: string } | undefined => {
  const parts = pointer.split('/')
  if (parts.length < 2) return undefined
  let at = document
  for (const part of parts.slice(1, -1)) {
    if (!isContainer(at)) return undefined
    try {
      at = get(at, unescape(part))
    } catch (error) {
      if (error instanceof PatchError) return undefined
      throw error
    }
  }
  return isContainer(at) ? { container: at, key: unescape(parts[parts.length - 1] as string) } : undefined
}

const pathOf = (operation: JsonPatchOperation, name: 'path' | 'from', what: string): string => {
  const value = operation[name]
  if (typeof value === 'string') return value
  // Some operations say what is missing, some only that something is.
  const why =
    name === 'from'
      ? 'operation, missing from field: '
      : what === 'add' || what === 'remove' || what === 'copy'
        ? ''
        : 'operation missing path field: '
  return stop(`${what} operation failed to decode ${name}: ${why}missing value`)
}

/** errors.Wrapf */
const within = <T>(prefix: string, act: () => T): T => {
  try {
    return act()
  } catch (error) {
    if (error instanceof PatchError) throw new PatchError(`${prefix}: ${error.message}`)
    throw error
  }
}

const valueOf = (operation: JsonPatchOperation): unknown => (operation.value === undefined ? null : cloneJson(operation.value))

const perform = (document: unknown, operation: JsonPatchOperation): unknown => {
  const op = operation.op
  switch (op) {
    case 'add': {
      const path = pathOf(operation, 'path', op)
      const at = find(document, path) ?? stop(`add operation does not apply: doc is missing path: "${path}": missing value`)
      within(`error in add for path: '${path}'`, () => add(at.container, at.key, valueOf(operation)))
      return document
    }
    case 'remove': {
      const path = pathOf(operation, 'path', op)
      const at = find(document, path) ?? stop(`remove operation does not apply: doc is missing path: "${path}": missing value`)
      within(`error in remove for path: '${path}'`, () => remove(at.container, at.key))
      return document
    }
    case 'replace': {
      const path = pathOf(operation, 'path', op)
      if (path === '') {
        const value = valueOf(operation)
        return isContainer(value) ? value : document
      }
      const at = find(document, path) ?? stop(`replace operation does not apply: doc is missing path: ${path}: missing value`)
      try {
        get(at.container, at.key)
      } catch {
        stop(`replace operation does not apply: doc is missing key: ${path}: missing value`)
      }
      within(`error in remove for path: '${path}'`, () => set(at.container, at.key, valueOf(operation)))
      return document
    }
    case 'move': {
      const from = pathOf(operation, 'from', op)
      const source = find(document, from) ?? stop(`move operation does not apply: doc is missing from path: ${from}: missing value`)
      const value = within(`error in move for path: '${source.key}'`, () => {
        const moved = get(source.container, source.key) ?? null
        remove(source.container, source.key)
        return moved
      })
      const path = pathOf(operation, 'path', op)
      const at = find(document, path) ?? stop(`move operation does not apply: doc is missing destination path: ${path}: missing value`)
      within(`error in move for path: '${path}'`, () => add(at.container, at.key, value))
      return document
    }
    case 'copy': {
      const from = pathOf(operation, 'from', op)
      const source = find(document, from) ?? stop(`copy operation does not apply: doc is missing from path: ${from}: missing value`)
      const value = within(`error in copy for from: '${from}'`, () => get(source.container, source.key))
      const path = pathOf(operation, 'path', op)
      const at = find(document, path) ?? stop(`copy operation does not apply: doc is missing destination path: ${path}: missing value`)
      within('error while adding value during copy', () => add(at.container, at.key, value === undefined ? null : cloneJson(value)))
      return document
    }
    case 'test': {
      const path = pathOf(operation, 'path', op)
      const expected = operation.value ?? null
      if (path === '') return deepEqual(document, expected) ? document : stop(`testing value ${path} failed: test failed`)
      const at = find(document, path) ?? stop(`test operation does not apply: is missing path: ${path}: missing value`)
      const value = within(`error in test for path: '${path}'`, () => get(at.container, at.key))
      return deepEqual(value ?? null, expected) ? document : stop(`testing value ${path} failed: test failed`)
    }
    default:
      return stop(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`)
  }
}

/** Applies the operations in order, all or none; the document given does not change. */
export const applyJsonPatch = (document: unknown, operations: readonly JsonPatchOperation[]): Result<unknown> => {
  let result: unknown = cloneJson(document)
  try {
    for (const operation of operations) result = perform(result, operation)
    return ok(result)
  } catch (error) {
    if (error instanceof PatchError) return fail(error.message)
    throw error
  }
}
