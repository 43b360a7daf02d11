import { useSyncExternalStore } from 'react'

export type LayoutMode = 'one' | 'two' | 'three'

const current = (): LayoutMode => (window.innerWidth < 800 ? 'one' : window.innerWidth < 1200 ? 'two' : 'three')

/** One pane below 800 px, two below 1200, else three. */
export function useLayoutMode(): LayoutMode {
  return useSyncExternalStore((listener) => {
    window.addEventListener('resize', listener)
    return () => window.removeEventListener('resize', listener)
  }, current)
}
