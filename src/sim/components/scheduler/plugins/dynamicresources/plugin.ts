// DynamicResources takes part only in what every pod meets: its PostFilter runs before preemption and leaves its words in the message.
import { type Plugin, NO_DATA } from '../../framework/types.ts'
import { errorStatus, type Status, unschedulable } from '../../framework/status.ts'

const NAME = 'DynamicResources'
const NOTHING = unschedulable(NAME, 'no new claims to deallocate')
const NO_STATE = errorStatus(NAME, 'not found')

export const dynamicResources: Plugin = {
  name: NAME,
  preFilter: () => ({ data: NO_DATA }),
}

/** `reached`: whether the cycle came as far as this plugin's PreFilter; else its state is missing, and upstream's error says no more than that. */
export const dynamicResourcesPostFilter = (reached: boolean): Status => (reached ? NOTHING : NO_STATE)
