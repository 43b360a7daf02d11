// What the visitor chose about the looks: kept on this device, never part of a shared document.
import { setMotion } from './motion.ts'

export interface Preferences {
  readonly theme: 'dark' | 'light' | 'system'
  readonly motion: 'full' | 'reduced' | 'system'
}

const KEY = 'orrery.preferences'
const DEFAULTS: Preferences = { theme: 'system', motion: 'system' }

/** Storage may be blocked (embedded, private mode) or hold anything: then the defaults. */
export function loadPreferences(): Preferences {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    const { theme, motion } = (value ?? {}) as Partial<Preferences>
    return {
      theme: theme === 'dark' || theme === 'light' ? theme : DEFAULTS.theme,
      motion: motion === 'full' || motion === 'reduced' ? motion : DEFAULTS.motion,
    }
  } catch {
    return DEFAULTS
  }
}

export function applyPreferences(preferences: Preferences = loadPreferences()): void {
  const light = window.matchMedia('(prefers-color-scheme: light)').matches
  document.documentElement.dataset.theme = preferences.theme === 'system' ? (light ? 'light' : 'dark') : preferences.theme
  setMotion(preferences.motion)
}

export function savePreferences(preferences: Preferences): void {
  applyPreferences(preferences)
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences))
  } catch {
    // Blocked storage: the choice holds until the page is closed.
  }
}
