// Composition root of the page. The base styles come first: they set the order of the cascade layers.
import './ui/kit/base.css'
import { MotionConfig } from 'framer-motion'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startSession } from './session/start.ts'
import { App } from './ui/app/App.tsx'
import { SessionProvider } from './ui/app/SessionContext.tsx'
import { applyPreferences } from './ui/app/preferences.ts'

applyPreferences()
const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module', name: 'simulation' })
const session = startSession(worker)
const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <MotionConfig reducedMotion="user">
        <SessionProvider value={session}>
          <App />
        </SessionProvider>
      </MotionConfig>
    </StrictMode>,
  )
