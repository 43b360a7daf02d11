// The text of the manifest editor: outside the session's store, because it changes with every key.
import { createStore } from 'zustand/vanilla'
import { EXAMPLES } from '../scenarios/examples.ts'

export interface DraftState {
  readonly text: string
}

export const draft = createStore<DraftState>(() => ({ text: EXAMPLES[0]?.yaml ?? '' }))
