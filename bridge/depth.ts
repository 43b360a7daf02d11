// How deep a JSON text nests, found without recursion, so that no parser behind it can be driven out of its stack.

/** Far deeper than any API object, far less than a stack. */
export const MAX_JSON_DEPTH = 500

/** Brackets inside strings do not count. Of a text that is not JSON the number means nothing and does no harm below the limit. */
export function jsonDepth(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (quoted) {
      if (c === 0x5c) i++
      else if (c === 0x22) quoted = false
    } else if (c === 0x22) quoted = true
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) deepest = depth
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return deepest
}
