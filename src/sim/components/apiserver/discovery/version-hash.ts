// storageVersionHash: the first eight bytes of a digest of group, version and kind, in base64 (apiserver/pkg/endpoints/discovery/storageversionhash.go).
// Opaque to clients; here from the simulation's own hash instead of SHA-256.
import { base64Encode } from '../../../../lib/base64.ts'
import { keyedHash } from '../authn/signature.ts'

export const versionHash = (group: string, version: string, kind: string): string =>
  base64Encode(keyedHash(`${group}/${version}/${kind}`, 8))
