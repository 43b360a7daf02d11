// Small choices about the page that survive a reload. Storage may be blocked or hold anything.

export function remembered<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  try {
    const value = localStorage.getItem(`orrery.${key}`)
    return allowed.find((a) => a === value) ?? fallback
  } catch {
    return fallback
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`orrery.${key}`, value)
  } catch {
    // Blocked storage: the choice holds until the page is closed.
  }
}
