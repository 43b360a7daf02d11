// Order as in pkg/kubeapiserver/options/plugins.go, AllOrderedPlugins.
import type { AdmissionPlugin } from './types.ts'

export const ADMISSION_PLUGINS: readonly AdmissionPlugin[] = []

export const OFF_BY_DEFAULT: ReadonlySet<string> = new Set(['OwnerReferencesPermissionEnforcement'])
