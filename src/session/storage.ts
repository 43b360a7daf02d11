// Work in progress, kept in IndexedDB. Storage may be full, blocked or hold something old: then the page starts without it and says so.
import { openDB } from 'idb'
import { decodeLink, encodeLink } from './share.ts'
import type { DocumentState } from '../protocol/messages.ts'

const STORE = 'work'
const database = () => openDB('orrery', 1, { upgrade: (db) => void db.createObjectStore(STORE) })

export interface SavedWork {
  readonly document: DocumentState
  /** Text of the manifest editor. */
  readonly draft: string
}

/** @throws when storage is blocked or full. */
export async function saveWork(work: SavedWork): Promise<void> {
  await (await database()).put(STORE, { link: encodeLink(work.document), draft: work.draft, saved: 1 }, 'current')
}

/** The saved work, or undefined when there is none or it cannot be read. */
export async function loadWork(): Promise<SavedWork | undefined> {
  try {
    const value = (await (await database()).get(STORE, 'current')) as { link?: unknown; draft?: unknown } | undefined
    if (typeof value?.link !== 'string') return undefined
    return { document: decodeLink(value.link).document, draft: typeof value.draft === 'string' ? value.draft : '' }
  } catch {
    return undefined
  }
}

export async function clearWork(): Promise<void> {
  try {
    await (await database()).delete(STORE, 'current')
  } catch {
    // Nothing saved, nothing to clear.
  }
}
