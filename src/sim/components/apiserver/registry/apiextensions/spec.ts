// The spec of a definition as upstream's internal type has it: what all versions share stands at the top, and errors name it there
// (apiextensions-apiserver pkg/apis/apiextensions/v1/conversion.go).
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  CustomResourceValidation,
  SelectableField,
} from '../../../../api/types/kubernetes.gen.ts'
import { goBool, goInt, goJson, goSlice, goString, goStruct, type Print } from '../core/gostruct.ts'
import { semanticEqual } from '../core/rules.ts'
import { schemaText } from './schema.ts'

export type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionNames,
  CustomResourceSubresources,
  SelectableField,
}

export interface Version {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: CustomResourceValidation
  subresources?: CustomResourceSubresources
  additionalPrinterColumns?: readonly CustomResourceColumnDefinition[]
  selectableFields?: readonly SelectableField[]
}

export interface Spec {
  group: string
  scope: string
  names: CustomResourceDefinitionNames
  /** Name of the first version. */
  version: string
  versions: readonly Version[]
  validation?: CustomResourceValidation
  subresources?: CustomResourceSubresources
  additionalPrinterColumns?: readonly CustomResourceColumnDefinition[]
  selectableFields?: readonly SelectableField[]
  conversion?: CustomResourceConversion
  preserveUnknownFields: boolean
}

const SHARED = [
  ['schema', 'validation'],
  ['subresources', 'subresources'],
  ['additionalPrinterColumns', 'additionalPrinterColumns'],
  ['selectableFields', 'selectableFields'],
] as const

export function internalSpec(given: Partial<CustomResourceDefinitionSpec> | undefined): Spec {
  const versions = (given?.versions ?? []) as readonly CustomResourceDefinitionVersion[]
  const spec: Spec = {
    group: given?.group ?? '',
    scope: given?.scope ?? '',
    names: given?.names ?? { kind: '', plural: '' },
    version: versions[0]?.name ?? '',
    versions: versions as readonly Version[],
    ...(given?.conversion ? { conversion: given.conversion } : {}),
    preserveUnknownFields: given?.preserveUnknownFields === true,
  }
  if (versions.length === 0) return spec
  for (const [name, top] of SHARED) {
    const first = versions[0]?.[name]
    if (!versions.every((v) => semanticEqual(v[name], first))) continue
    if (first !== undefined) (spec as unknown as Record<string, unknown>)[top] = first
    spec.versions = spec.versions.map(({ [name]: _, ...rest }) => rest)
  }
  return spec
}

const subresourcesText: Print = goStruct(
  ['Status', 'status', (v) => (v === undefined ? 'null' : '{}')],
  [
    'Scale',
    'scale',
    goStruct(
      ['SpecReplicasPath', 'specReplicasPath', goString],
      ['StatusReplicasPath', 'statusReplicasPath', goString],
      ['LabelSelectorPath', 'labelSelectorPath'],
    ),
  ],
)
const columnText: Print = goStruct(
  ['Name', 'name', goString],
  ['Type', 'type', goString],
  ['Format', 'format', goString],
  ['Description', 'description', goString],
  ['Priority', 'priority', goInt],
  ['JSONPath', 'jsonPath', goString],
)
const versionText: Print = goStruct(
  ['Name', 'name', goString],
  ['Served', 'served', goBool],
  ['Storage', 'storage', goBool],
  ['Deprecated', 'deprecated', goBool],
  ['DeprecationWarning', 'deprecationWarning'],
  ['Schema', 'schema', goStruct(['OpenAPIV3Schema', 'openAPIV3Schema', schemaText])],
  ['Subresources', 'subresources', subresourcesText],
  ['AdditionalPrinterColumns', 'additionalPrinterColumns', goSlice(columnText)],
  ['SelectableFields', 'selectableFields', goSlice(goStruct(['JSONPath', 'jsonPath', goString]))],
)
/** spec.versions as Go prints the internal type. */
export const versionsText = (versions: readonly Version[]): string => goSlice(versionText)(versions)
export { goJson }
