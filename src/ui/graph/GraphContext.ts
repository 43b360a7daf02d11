import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import type { StoreApi } from 'zustand/vanilla'
import type { Layout } from './layout.ts'

/** Layout plus which elements stand inside which machine ('' = waiting tray), in drawing order. */
export interface PlacedLayout extends Layout {
  readonly inside: ReadonlyMap<string, readonly string[]>
}

/** State of the picture alone: hover and keyboard focus are forgotten on reload. */
export interface GraphState {
  readonly layout: PlacedLayout
  /** Element with the keyboard's roving focus. */
  readonly focus: string | null
  /** So far away that only names of machines and counts can be read. */
  readonly far: boolean
}

export const GraphContext = createContext<StoreApi<GraphState> | null>(null)

export function useGraph<T>(select: (state: GraphState) => T): T {
  const store = useContext(GraphContext)
  if (!store) throw new Error('no graph above this component')
  return useStore(store, select)
}
