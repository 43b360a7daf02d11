// Decides what the page opens with: a link in the address, else saved work, else the classroom cluster. Saves work in progress.
import { CLASSROOM } from '../sim/cluster/spec.ts'
import type { DocumentState } from '../protocol/messages.ts'
import { draft } from './draft.ts'
import { createSession, type Session } from './session.ts'
import { decodeLink, LinkError, SIMULATION_VERSION, type SharedDocument } from './share.ts'
import { clearWork, loadWork, saveWork } from './storage.ts'
import type { Port } from './worker-client.ts'

export const FRESH: DocumentState = { spec: CLASSROOM, seed: 1, inputs: [], index: 0 }
/** Saving waits until the visitor pauses. */
const SAVE_AFTER_MS = 800

export function startSession(worker: Port): Session {
  const session = createSession(worker, FRESH)
  void begin(session)
  window.addEventListener('hashchange', () => void openLinkIn(session))
  return session
}

async function begin(session: Session): Promise<void> {
  if (await openLinkIn(session)) return
  const work = await loadWork()
  if (work) {
    if (work.draft) draft.setState({ text: work.draft })
    await session.open(work.document)
    if (session.store.getState().phase === 'failed') {
      // Work that no longer replays must not lock the visitor out.
      await clearWork()
      await session.open(FRESH)
      session.store.setState({
        error: { message: 'Your saved work was made by another version of the simulation and could not be opened.' },
      })
    }
  } else await session.open(FRESH)
  keepSaving(session)
}

/** True if the address carries a link (even a broken one, which is reported). */
async function openLinkIn(session: Session): Promise<boolean> {
  const text = new URLSearchParams(location.hash.slice(1)).get('x')
  if (text === null) return false
  let shared: SharedDocument
  try {
    shared = decodeLink(text)
  } catch (error) {
    await session.open(FRESH)
    session.store.setState({ error: { message: error instanceof LinkError ? error.message : 'The link cannot be opened.' } })
    return true
  }
  const lastApply = [...shared.document.inputs].reverse().find((i) => i.command.do === 'apply')
  if (lastApply?.command.do === 'apply') draft.setState({ text: lastApply.command.yaml })
  await session.open(shared.document)
  if (session.store.getState().phase !== 'ready' || shared.digest === undefined) return true
  const { trace } = await session.client.request('digest', {})
  if (trace !== shared.digest) {
    const who =
      shared.version === SIMULATION_VERSION
        ? 'a different build'
        : `version ${shared.version} of the simulation (this is version ${SIMULATION_VERSION})`
    session.store.setState({ error: { message: `This link was made by ${who}: it replays, but not message for message.` } })
  }
  return true
}

function keepSaving(session: Session): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let warned = false
  const later = (): void => {
    clearTimeout(timer)
    timer = setTimeout(async () => {
      if (session.store.getState().phase !== 'ready') return
      try {
        const document = await session.client.request('document', {})
        await saveWork({ document, draft: draft.getState().text })
      } catch {
        if (!warned)
          session.store.setState({
            error: { message: 'Your browser does not let this page save work. Use “Share this moment” to keep it.' },
          })
        warned = true
      }
    }, SAVE_AFTER_MS)
  }
  session.store.subscribe((state, before) => {
    if (state.cursor !== before.cursor || state.lastCommand !== before.lastCommand) later()
  })
  draft.subscribe(later)
}

/** The address of this moment. */
export function linkTo(encoded: string): string {
  return `${location.origin}${location.pathname}${location.search}#x=${encoded}`
}
