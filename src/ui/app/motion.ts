// Motion: the system's preference unless the visitor chose otherwise.
import { useSyncExternalStore } from 'react'

export type Motion = 'full' | 'reduced'

const query = (): MediaQueryList => window.matchMedia('(prefers-reduced-motion: reduce)')
const listeners = new Set<() => void>()

export function currentMotion(): Motion {
  const chosen = document.documentElement.dataset.motion
  if (chosen === 'full' || chosen === 'reduced') return chosen
  return query().matches ? 'reduced' : 'full'
}

export function setMotion(motion: Motion | 'system'): void {
  if (motion === 'system') delete document.documentElement.dataset.motion
  else document.documentElement.dataset.motion = motion
  for (const listener of listeners) listener()
}

export function useMotion(): Motion {
  return useSyncExternalStore((listener) => {
    listeners.add(listener)
    const media = query()
    media.addEventListener('change', listener)
    return () => {
      listeners.delete(listener)
      media.removeEventListener('change', listener)
    }
  }, currentMotion)
}
