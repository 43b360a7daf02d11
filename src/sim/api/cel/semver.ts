// Semantic versions: github.com/blang/semver as apiserver pkg/cel/library/semverlib.go uses it.

export interface Semver {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly pre: string
}

export function parseSemver(given: string, normalize = false): Semver | undefined {
  let text = given
  if (normalize) {
    text = text.replace(/^v/, '').replace(/^(\d[\d.]*)/, (core) => {
      const parts = core.split('.').map((p) => p.replace(/^0+(?=\d)/, ''))
      while (parts.length < 3) parts.push('0')
      return parts.join('.')
    })
  }
  const m =
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/.exec(
      text,
    )
  return m ? { major: BigInt(m[1] as string), minor: BigInt(m[2] as string), patch: BigInt(m[3] as string), pre: m[4] ?? '' } : undefined
}

export function compareSemver(a: Semver, b: Semver): number {
  for (const part of ['major', 'minor', 'patch'] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1
  if (a.pre === b.pre) return 0
  if (a.pre === '') return 1
  if (b.pre === '') return -1
  const [p, q] = [a.pre.split('.'), b.pre.split('.')]
  for (let i = 0; i < Math.max(p.length, q.length); i++) {
    const [x, y] = [p[i], q[i]]
    if (x === undefined) return -1
    if (y === undefined) return 1
    if (x === y) continue
    const [nx, ny] = [/^\d+$/.test(x), /^\d+$/.test(y)]
    if (nx && ny) return BigInt(x) < BigInt(y) ? -1 : 1
    if (nx !== ny) return nx ? -1 : 1
    return x < y ? -1 : 1
  }
  return 0
}
