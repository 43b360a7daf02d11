// PEM blocks, as encoding/pem finds them.
export interface Block {
  readonly type: string
  readonly base64: string
  readonly hasHeaders: boolean
}

/** The well-formed blocks of a text, in order. */
export function pemBlocks(text: string): Block[] {
  const found: Block[] = []
  const pattern = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t]*\r?\n([\s\S]*?)\n?-----END ([^\n]*?)-----[ \t]*(?=\r?\n|$)/g
  for (const [, type = '', body = '', end = ''] of text.matchAll(pattern)) {
    if (type !== end) continue
    const headers = /^(?:[^\n]*:[^\n]*\n)+\n?/.exec(body)?.[0] ?? ''
    const base64 = body.slice(headers.length).replace(/\s/g, '')
    if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) continue
    found.push({ type, base64, hasHeaders: headers !== '' })
  }
  return found
}
