// Which tab of the left pane is open; other parts of the page open one, too.
import { createStore } from 'zustand/vanilla'
import { remember, remembered } from './remember.ts'

export const LEFT_TABS = ['manifest', 'objects', 'traffic', 'outline'] as const
export type LeftTab = (typeof LEFT_TABS)[number]

export const leftTab = createStore<{ readonly tab: LeftTab }>(() => ({ tab: remembered('left-tab', LEFT_TABS, 'manifest') }))
leftTab.subscribe(({ tab }) => remember('left-tab', tab))
