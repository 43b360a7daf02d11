// Answers in YAML, for clients that ask for it.
import { stringify } from 'yaml'

export const toYaml = (value: object): string => stringify(value, { lineWidth: 0, sortMapEntries: true })
