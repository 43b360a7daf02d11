// Two files of one volume at the same path, or one inside the other (pkg/api/pod/warnings.go: warningsForOverlappingVirtualPaths).
import type { Volume, VolumeProjection } from '../../../../api/types/kubernetes.gen.ts'
import { quote } from './rules.ts'

interface FileAt {
  path: string
  source: string
}

const text = (f: FileAt): string => (f.source === '' ? quote(f.path) : `${quote(f.path)} (${f.source})`)

const overlap = (a: string, b: string): boolean => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)

/** One text per colliding pair, the later file first. */
function overlaps(files: readonly FileAt[]): string[] {
  const seen: FileAt[] = []
  return files.flatMap(({ path, source }) => {
    const here = { path: path.replace(/\/+$/, ''), source }
    const hits = here.path === '' ? [] : seen.filter((f) => f.path !== '' && overlap(f.path, here.path))
    seen.push(here)
    return hits.map((f) => `${text(here)} with ${text(f)}`)
  })
}

const filesOf = (items: readonly { path?: string }[] | undefined, source: string): FileAt[] =>
  (items ?? []).map((item) => ({ path: item.path ?? '', source }))

/** The first kind of source that names files, as upstream's switch. */
function projectedFiles(s: VolumeProjection): FileAt[] {
  if (s.configMap?.items) return filesOf(s.configMap.items, `ConfigMap ${quote(s.configMap.name ?? '')}`)
  if (s.secret?.items) return filesOf(s.secret.items, `Secret ${quote(s.secret.name ?? '')}`)
  if (s.downwardAPI?.items) return filesOf(s.downwardAPI.items, 'DownwardAPI')
  if (s.serviceAccountToken) return [{ path: s.serviceAccountToken.path ?? '', source: 'ServiceAccountToken' }]
  if (s.clusterTrustBundle) {
    return [
      {
        path: s.clusterTrustBundle.path ?? '',
        source: `ClusterTrustBundle ${quote(s.clusterTrustBundle.name ?? s.clusterTrustBundle.signerName ?? '')}`,
      },
    ]
  }
  const cert = s.podCertificate
  return [
    ...(cert?.certificateChainPath ? [{ path: cert.certificateChainPath, source: 'PodCertificate chain' }] : []),
    ...(cert?.keyPath ? [{ path: cert.keyPath, source: 'PodCertificate key' }] : []),
    ...(cert?.credentialBundlePath ? [{ path: cert.credentialBundlePath, source: 'PodCertificate credential bundle' }] : []),
  ]
}

const isEmpty = (s: VolumeProjection): boolean =>
  !s.configMap && !s.secret && !s.downwardAPI && !s.serviceAccountToken && !s.clusterTrustBundle && !s.podCertificate

export const overlappingPathWarnings = (volumes: readonly Volume[]): string[] =>
  volumes.flatMap((v) => {
    const name = quote(v.name ?? '')
    const warn = (what: string, files: readonly FileAt[]): string[] =>
      overlaps(files).map((o) => `volume ${name} (${what}): overlapping paths: ${o}`)
    const empty = (v.projected?.sources ?? []).filter(isEmpty).map(() => `volume ${name} (Projected) has no sources provided`)
    return [
      ...warn(`ConfigMap ${quote(v.configMap?.name ?? '')}`, filesOf(v.configMap?.items, '')),
      ...warn(`Secret ${quote(v.secret?.secretName ?? '')}`, filesOf(v.secret?.items, '')),
      ...warn('DownwardAPI', filesOf(v.downwardAPI?.items, '')),
      ...empty,
      ...warn('Projected', (v.projected?.sources ?? []).flatMap(projectedFiles)),
    ]
  })
