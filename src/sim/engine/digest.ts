// Digests: 64 bits as 16 hex digits, equal for equal data whatever order it was written in.

/** Text of a JSON-like value with sorted keys; undefined members are left out. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const object = value as Record<string, unknown>
  const parts: string[] = []
  for (const key of Object.keys(object).sort()) {
    const member = object[key]
    if (member !== undefined) parts.push(`${JSON.stringify(key)}:${canonical(member)}`)
  }
  return `{${parts.join(',')}}`
}

/** Rolling digest over texts (two 32-bit lanes, cyrb53's mixing). */
export class Digest {
  private h1 = 0xdeadbeef
  private h2 = 0x41c6ce57

  add(text: string): void {
    let { h1, h2 } = this
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      h1 = Math.imul(h1 ^ c, 2654435761)
      h2 = Math.imul(h2 ^ c, 1597334677)
    }
    // A separator, so that ['ab','c'] and ['a','bc'] differ.
    this.h1 = Math.imul(h1 ^ 0x1f, 2654435761)
    this.h2 = Math.imul(h2 ^ 0x1f, 1597334677)
  }

  copy(): Digest {
    const copy = new Digest()
    copy.h1 = this.h1
    copy.h2 = this.h2
    return copy
  }

  hex(): string {
    let { h1, h2 } = this
    h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909)
    h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909)
    return (h1 >>> 0).toString(16).padStart(8, '0') + (h2 >>> 0).toString(16).padStart(8, '0')
  }
}

export function digestOf(value: unknown): string {
  const digest = new Digest()
  digest.add(canonical(value))
  return digest.hex()
}
