import { stringify } from 'yaml'
import type { KubeObject } from '../../sim/api/types/object.ts'

export const toYaml = (object: KubeObject): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
