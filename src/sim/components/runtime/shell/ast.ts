// The syntax tree of a shell script: plain data, so that a running script can be state (POSIX.1-2024, Shell Command Language).

export type WordPart =
  | { readonly p: 'lit'; readonly text: string; readonly quoted: boolean }
  | { readonly p: 'param'; readonly name: string; readonly op: string; readonly word?: Word; readonly quoted: boolean }
  | { readonly p: 'cmd'; readonly body: Node; readonly quoted: boolean }
  | { readonly p: 'arith'; readonly text: Word; readonly quoted: boolean }

export type Word = readonly WordPart[]

export interface Redirect {
  readonly fd: number
  readonly op: '>' | '>>' | '<' | '<<' | '>&' | '<&' | '>|' | '<>'
  readonly target: Word
}

export type Node =
  | {
      readonly t: 'simple'
      readonly assigns: readonly (readonly [string, Word])[]
      readonly words: readonly Word[]
      readonly redirects: readonly Redirect[]
    }
  | { readonly t: 'pipe'; readonly parts: readonly Node[]; readonly negated: boolean }
  | { readonly t: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly t: 'seq'; readonly items: readonly { readonly node: Node; readonly background: boolean }[] }
  | {
      readonly t: 'if'
      readonly branches: readonly { readonly when: Node; readonly then: Node }[]
      readonly otherwise?: Node
      readonly redirects: readonly Redirect[]
    }
  | { readonly t: 'while' | 'until'; readonly when: Node; readonly body: Node; readonly redirects: readonly Redirect[] }
  | {
      readonly t: 'for'
      readonly name: string
      readonly words?: readonly Word[]
      readonly body: Node
      readonly redirects: readonly Redirect[]
    }
  | {
      readonly t: 'case'
      readonly word: Word
      readonly items: readonly { readonly patterns: readonly Word[]; readonly body: Node }[]
      readonly redirects: readonly Redirect[]
    }
  | { readonly t: 'subshell' | 'group'; readonly body: Node; readonly redirects: readonly Redirect[] }
  | { readonly t: 'function'; readonly name: string; readonly body: Node }
