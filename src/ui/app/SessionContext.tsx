import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import type { Session, SessionState } from '../../session/session.ts'

const SessionContext = createContext<Session | null>(null)
export const SessionProvider = SessionContext.Provider

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('no session above this component')
  return session
}

/** A slice of the session's state; re-renders only when the slice changes. */
export function useSessionState<T>(select: (state: SessionState) => T): T {
  return useStore(useSession().store, select)
}
