// YAML nodes of the first document of a text: the grammar of libyaml (go.yaml.in/yaml/v2 parserc.go), with its error texts.
import { createScanner, type Scanner, syntaxError, type Token, type TokenType, YamlSyntaxError } from './scanner.ts'

export interface YamlNode {
  readonly kind: 'scalar' | 'sequence' | 'mapping' | 'alias'
  /** Counted from zero. */
  readonly line: number
  /** Text of a scalar, name of an alias. */
  readonly value: string
  /** Of scalars only: other nodes say what they are. */
  readonly tag: string
  /** A plain scalar, whose text decides what it means. */
  readonly implicit: boolean
  /** Items of a sequence; keys and values of a mapping by turns. */
  readonly children: readonly YamlNode[]
  /** What an alias stands for. */
  readonly target?: YamlNode
}

interface Draft {
  kind: YamlNode['kind']
  line: number
  value: string
  tag: string
  implicit: boolean
  children: YamlNode[]
  target?: YamlNode
}

interface State {
  readonly scanner: Scanner
  readonly tags: Map<string, string>
  readonly anchors: Map<string, Draft>
  depth: number
  readonly maxDepth: number
}

const parserError = (problem: string, token: Token): YamlSyntaxError => syntaxError(problem, token.line, false)

const draft = (kind: YamlNode['kind'], line: number): Draft => ({ kind, line, value: '', tag: '', implicit: false, children: [] })
const emptyScalar = (line: number): Draft => ({ ...draft('scalar', line), implicit: true })

const is = (token: Token, ...types: readonly TokenType[]): boolean => types.includes(token.type)

const tagOf = (token: Token, state: State): string => {
  if (token.value === '') return token.suffix ?? ''
  const prefix = state.tags.get(token.value)
  const tag = prefix === undefined ? '' : prefix + (token.suffix ?? '')
  if (tag === '') throw parserError('found undefined tag handle', token)
  return tag
}

const parseNode = (state: State, block: boolean, indentlessSequence: boolean): YamlNode => {
  const { scanner } = state
  let token = scanner.peek()
  if (token.type === 'alias') {
    scanner.next()
    const target = state.anchors.get(token.value)
    if (!target) throw new YamlSyntaxError(`yaml: unknown anchor '${token.value}' referenced`)
    return { ...draft('alias', token.line), value: token.value, target }
  }
  const { line } = token
  let anchor: string | undefined
  let tagToken: Token | undefined
  // An anchor and a tag, in either order.
  for (let i = 0; i < 2; i++) {
    if (token.type === 'anchor' && anchor === undefined) anchor = token.value
    else if (token.type === 'tag' && !tagToken) tagToken = token
    else break
    scanner.next()
    token = scanner.peek()
  }
  const tag = tagToken ? tagOf(tagToken, state) : ''
  const named = (node: Draft): Draft => {
    if (anchor !== undefined) state.anchors.set(anchor, node)
    return node
  }
  if (++state.depth > state.maxDepth) throw new YamlSyntaxError(`yaml: exceeded max depth of ${state.maxDepth}`)
  try {
    if (indentlessSequence && token.type === 'block-entry') return parseIndentlessSequence(state, named(draft('sequence', line)))
    if (token.type === 'scalar') {
      scanner.next()
      return named({ ...draft('scalar', line), value: token.value, tag, implicit: (tag === '' && token.plain === true) || tag === '!' })
    }
    if (token.type === 'flow-sequence-start') return parseFlowSequence(state, named(draft('sequence', line)))
    if (token.type === 'flow-mapping-start') return parseFlowMapping(state, named(draft('mapping', line)))
    if (block && token.type === 'block-sequence-start') return parseBlockSequence(state, named(draft('sequence', line)))
    if (block && token.type === 'block-mapping-start') return parseBlockMapping(state, named(draft('mapping', line)))
    if (anchor !== undefined || tag !== '') return named({ ...draft('scalar', line), tag, implicit: tag === '' })
    throw parserError('did not find expected node content', token)
  } finally {
    state.depth--
  }
}

const parseBlockSequence = (state: State, node: Draft): YamlNode => {
  const { scanner } = state
  scanner.next()
  for (;;) {
    const token = scanner.peek()
    if (token.type === 'block-end') {
      scanner.next()
      return node
    }
    if (token.type !== 'block-entry') throw parserError("did not find expected '-' indicator", token)
    scanner.next()
    node.children.push(is(scanner.peek(), 'block-entry', 'block-end') ? emptyScalar(token.line) : parseNode(state, true, false))
  }
}

const parseIndentlessSequence = (state: State, node: Draft): YamlNode => {
  const { scanner } = state
  while (scanner.peek().type === 'block-entry') {
    const token = scanner.next()
    node.children.push(
      is(scanner.peek(), 'block-entry', 'key', 'value', 'block-end') ? emptyScalar(token.line) : parseNode(state, true, false),
    )
  }
  return node
}

const parseBlockMapping = (state: State, node: Draft): YamlNode => {
  const { scanner } = state
  scanner.next()
  for (;;) {
    const token = scanner.peek()
    if (token.type === 'block-end') {
      scanner.next()
      return node
    }
    if (token.type !== 'key') throw parserError('did not find expected key', token)
    scanner.next()
    node.children.push(is(scanner.peek(), 'key', 'value', 'block-end') ? emptyScalar(token.line) : parseNode(state, true, true))
    const value = scanner.peek()
    if (value.type !== 'value') {
      node.children.push(emptyScalar(value.line))
      continue
    }
    scanner.next()
    node.children.push(is(scanner.peek(), 'key', 'value', 'block-end') ? emptyScalar(value.line) : parseNode(state, true, true))
  }
}

const parseFlowSequence = (state: State, node: Draft): YamlNode => {
  const { scanner } = state
  scanner.next()
  for (let first = true; ; first = false) {
    let token = scanner.peek()
    if (token.type !== 'flow-sequence-end') {
      if (!first) {
        if (token.type !== 'flow-entry') throw parserError("did not find expected ',' or ']'", token)
        scanner.next()
        token = scanner.peek()
      }
      if (token.type === 'key') {
        node.children.push(parseFlowPair(state, token.line))
        continue
      }
      if (token.type !== 'flow-sequence-end') {
        node.children.push(parseNode(state, false, false))
        continue
      }
    }
    scanner.next()
    return node
  }
}

/** `a: b` as an item of a flow sequence: a mapping of one pair. */
const parseFlowPair = (state: State, line: number): YamlNode => {
  const { scanner } = state
  scanner.next()
  const node = draft('mapping', line)
  const key = scanner.peek()
  if (is(key, 'value', 'flow-entry', 'flow-sequence-end')) {
    scanner.next()
    node.children.push(emptyScalar(key.line))
  } else node.children.push(parseNode(state, false, false))
  const value = scanner.peek()
  if (value.type === 'value') {
    scanner.next()
    if (!is(scanner.peek(), 'flow-entry', 'flow-sequence-end')) {
      node.children.push(parseNode(state, false, false))
      return node
    }
  }
  node.children.push(emptyScalar(value.line))
  return node
}

const parseFlowMapping = (state: State, node: Draft): YamlNode => {
  const { scanner } = state
  scanner.next()
  for (let first = true; ; first = false) {
    let token = scanner.peek()
    if (token.type !== 'flow-mapping-end') {
      if (!first) {
        if (token.type !== 'flow-entry') throw parserError("did not find expected ',' or '}'", token)
        scanner.next()
        token = scanner.peek()
      }
      if (token.type === 'key') {
        scanner.next()
        token = scanner.peek()
        node.children.push(is(token, 'value', 'flow-entry', 'flow-mapping-end') ? emptyScalar(token.line) : parseNode(state, false, false))
        const value = scanner.peek()
        if (value.type === 'value') {
          scanner.next()
          if (!is(scanner.peek(), 'flow-entry', 'flow-mapping-end')) {
            node.children.push(parseNode(state, false, false))
            continue
          }
        }
        node.children.push(emptyScalar(value.line))
        continue
      }
      if (token.type !== 'flow-mapping-end') {
        node.children.push(parseNode(state, false, false))
        node.children.push(emptyScalar(scanner.peek().line))
        continue
      }
    }
    scanner.next()
    return node
  }
}

const processDirectives = (state: State): void => {
  const { scanner, tags } = state
  let version = false
  for (let token = scanner.peek(); is(token, 'version-directive', 'tag-directive'); token = scanner.peek()) {
    if (token.type === 'version-directive') {
      if (version) throw parserError('found duplicate %YAML directive', token)
      if (token.value !== '1.1') throw parserError('found incompatible YAML document', token)
      version = true
    } else {
      if (tags.has(token.value)) throw parserError('found duplicate %TAG directive', token)
      tags.set(token.value, token.suffix ?? '')
    }
    scanner.next()
  }
  if (!tags.has('!')) tags.set('!', '!')
  if (!tags.has('!!')) tags.set('!!', 'tag:yaml.org,2002:')
}

/** The root of the first document; undefined for a text without any. Throws YamlSyntaxError. */
export const parseFirstDocument = (text: string, maxDepth: number): YamlNode | undefined => {
  const state: State = { scanner: createScanner(text), tags: new Map(), anchors: new Map(), depth: 0, maxDepth }
  const { scanner } = state
  const first = scanner.peek()
  if (first.type === 'stream-end') return undefined
  const explicit = is(first, 'version-directive', 'tag-directive', 'document-start')
  processDirectives(state)
  let root: YamlNode
  if (explicit) {
    const token = scanner.peek()
    if (token.type !== 'document-start') throw parserError('did not find expected <document start>', token)
    scanner.next()
    const content = scanner.peek()
    root = is(content, 'version-directive', 'tag-directive', 'document-start', 'document-end', 'stream-end')
      ? emptyScalar(content.line)
      : parseNode(state, true, false)
  } else root = parseNode(state, true, false)
  // The end of the document is looked for, and with it the next token.
  scanner.peek()
  return root
}
