// The page's one live region. A manual step is said at once; while playing, at most one message in two seconds, with what it stands for.
import { useEffect, useState } from 'react'
import { useSession } from './SessionContext.tsx'

export const QUIET_MS = 2000

export function Announcer() {
  const session = useSession()
  const [text, setText] = useState('')
  useEffect(() => {
    let last = 0
    let skipped = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const say = (): void => {
      const { caption, playing } = session.store.getState()
      timer = undefined
      last = Date.now()
      if (caption) setText(playing && skipped > 1 ? `${skipped} steps. ${caption.title}` : caption.title)
      skipped = 0
    }
    const stop = session.store.subscribe((state, before) => {
      if (state.step === before.step) return
      skipped++
      const wait = state.playing ? Math.max(0, last + QUIET_MS - Date.now()) : 0
      if (wait === 0) {
        clearTimeout(timer)
        say()
      } else timer ??= setTimeout(say, wait)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [session])
  return (
    <p className="visually-hidden" role="status" data-testid="announcer">
      {text}
    </p>
  )
}
