// What the inspector shows, as data: sections of plain blocks, so that every component can describe its inside without knowing React.
import type { ObjectRef } from '../sim/api/types/object.ts'

export interface InspectorView {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly badges: readonly { readonly text: string; readonly tone: 'good' | 'busy' | 'bad' | 'plain' }[]
  /** One paragraph in plain language: what this is for. */
  readonly about: string
  readonly concept: { readonly label: string; readonly url: string }
  readonly tabs: readonly InspectorTab[]
}

export interface InspectorTab {
  readonly id: 'overview' | 'yaml' | 'events' | 'relations' | 'history' | 'logs' | 'inside' | 'requests'
  readonly label: string
  readonly blocks: readonly Block[]
}

export type Block =
  | { readonly type: 'heading'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'facts'; readonly facts: readonly { readonly name: string; readonly value: string; readonly link?: Link }[] }
  | { readonly type: 'chips'; readonly chips: readonly { readonly text: string; readonly tone: 'good' | 'busy' | 'bad' | 'plain' }[] }
  | { readonly type: 'table'; readonly caption: string; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly type: 'code'; readonly language: 'yaml' | 'text'; readonly text: string }
  | { readonly type: 'diff'; readonly title: string; readonly before: string; readonly after: string; readonly record: number }
  | { readonly type: 'links'; readonly links: readonly { readonly label: string; readonly detail: string; readonly link: Link }[] }
  | {
      readonly type: 'bars'
      readonly bars: readonly { readonly name: string; readonly value: number; readonly max: number; readonly text: string }[]
    }

export interface Cell {
  readonly text: string
  readonly tone?: 'good' | 'busy' | 'bad' | 'plain' | 'muted'
  readonly link?: Link
}

/** Where a click leads: an element or object of the present, or a moment. */
export type Link =
  | { readonly to: 'element'; readonly id: string }
  | { readonly to: 'object'; readonly ref: ObjectRef }
  | { readonly to: 'record'; readonly record: number }
  | { readonly to: 'url'; readonly url: string }
