// Where objects live in etcd: pkg/kubeapiserver/default_storage_factory_builder.go and each registry's prefix.
import { groupResource } from '../../api/meta.ts'

export const REGISTRY_PREFIX = '/registry/'

/** Resources whose folder is not simply their plural name. */
const SPECIAL: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
  replicationcontrollers: 'controllers',
  'ingresses.networking.k8s.io': 'ingress',
  'customresourcedefinitions.apiextensions.k8s.io': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiservices.apiregistration.k8s.io': 'apiregistration.k8s.io/apiservices',
}
const SPECIAL_BY_FOLDER = new Map(Object.entries(SPECIAL).map(([resource, folder]) => [folder, resource]))

/** Folder of a resource; custom resources keep their group, built-in ones do not. */
export function storageFolder(group: string, resource: string, custom: boolean): string {
  const gr = groupResource(group, resource)
  if (Object.hasOwn(SPECIAL, gr)) return SPECIAL[gr] as string
  return custom ? `${group}/${resource}` : resource
}

export const storageKey = (folder: string, cacheKey: string): string => `${REGISTRY_PREFIX}${folder}/${cacheKey}`

/** Key in a cache table: as in etcd, without the folder. */
export const cacheKey = (namespace: string | undefined, name: string): string => (namespace ? `${namespace}/${name}` : name)

/** Splits `/registry/services/specs/default/web` into folder and cache key. `folderOf` knows the one-segment folders of built-in kinds. */
export function splitStorageKey(key: string): { folder: string; key: string } {
  const rest = key.slice(REGISTRY_PREFIX.length)
  const first = rest.indexOf('/')
  const second = rest.indexOf('/', first + 1)
  const two = second < 0 ? rest : rest.slice(0, second)
  if (second > 0 && (SPECIAL_BY_FOLDER.has(two) || two.slice(0, first).includes('.'))) return { folder: two, key: rest.slice(second + 1) }
  return { folder: rest.slice(0, first), key: rest.slice(first + 1) }
}
