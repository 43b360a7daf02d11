// Texts of kinds and fields for `kubectl explain` and the editor. Large: import this module only when it is needed,
// with a dynamic import from outside the simulation.
import data from './descriptions.gen.json' with { type: 'json' }
import type { Descriptions } from './openapi.ts'

export const descriptions: Descriptions = data as unknown as Descriptions
