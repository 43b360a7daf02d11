// The tail of refusals that show what would have changed (pkg/util/diff): a unified diff of indented JSON with Go's field names.

/** Field names as Go spells them: initialisms in capitals, otherwise the JSON name with a capital. */
const goNames: ReadonlyMap<string, string> = new Map([
  ['tty', 'TTY'],
  ['hostIP', 'HostIP'],
  ['hostPID', 'HostPID'],
  ['hostIPC', 'HostIPC'],
  ['httpGet', 'HTTPGet'],
  ['httpHeaders', 'HTTPHeaders'],
  ['tcpSocket', 'TCPSocket'],
  ['grpc', 'GRPC'],
  ['apiVersion', 'APIVersion'],
  ['dnsPolicy', 'DNSPolicy'],
  ['dnsConfig', 'DNSConfig'],
  ['os', 'OS'],
  ['seLinuxOptions', 'SELinuxOptions'],
  ['configMapRef', 'ConfigMapRef'],
  ['nfs', 'NFS'],
  ['iscsi', 'ISCSI'],
  ['csi', 'CSI'],
  ['rbd', 'RBD'],
  ['fc', 'FC'],
])
const mapFields = new Set(['limits', 'requests', 'overhead', 'nodeSelector', 'matchLabels', 'options', 'volumeAttributes'])

const goName = (name: string): string => goNames.get(name) ?? name.charAt(0).toUpperCase() + name.slice(1)

function withGoNames(value: unknown, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((v) => withGoNames(v, false))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [isMap ? k : goName(k), withGoNames(v, mapFields.has(k))]))
}

const escapeHTML = (text: string): string =>
  text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** json.MarshalIndent of compact JSON text, as lines. */
const indented = (json: string): string[] => escapeHTML(JSON.stringify(JSON.parse(json), null, 1)).split('\n')

type Edit = readonly [mark: ' ' | '-' | '+', line: string]

/** The longest common subsequence decides which lines stay. */
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let from = 0
  while (from < a.length && from < b.length && a[from] === b[from]) from++
  let to = 0
  while (to < a.length - from && to < b.length - from && a[a.length - 1 - to] === b[b.length - 1 - to]) to++
  const x = a.slice(from, a.length - to)
  const y = b.slice(from, b.length - to)
  const longest: number[][] = Array.from({ length: x.length + 1 }, () => Array<number>(y.length + 1).fill(0))
  const length = (i: number, j: number): number => longest[i]?.[j] ?? 0
  for (let i = x.length - 1; i >= 0; i--) {
    const row = longest[i] as number[]
    for (let j = y.length - 1; j >= 0; j--) row[j] = x[i] === y[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1))
  }
  const result: Edit[] = a.slice(0, from).map((line) => [' ', line])
  let i = 0
  let j = 0
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      result.push([' ', x[i++] as string])
      j++
    } else if (i < x.length && (j >= y.length || length(i + 1, j) >= length(i, j + 1))) result.push(['-', x[i++] as string])
    else result.push(['+', y[j++] as string])
  }
  return [...result, ...a.slice(a.length - to).map((line): Edit => [' ', line])]
}

const range = (start: number, count: number): string => (count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`)

/** difflib.GetUnifiedDiffString with three lines of context and no file names. */
function unified(all: readonly Edit[]): string {
  const context = 3
  const near = all.map((_, i) => all.slice(Math.max(0, i - context), i + context + 1).some(([mark]) => mark !== ' '))
  let text = ''
  let before = 1
  let after = 1
  for (let i = 0; i < all.length; ) {
    if (!near[i]) {
      before++
      after++
      i++
      continue
    }
    const end = near.indexOf(false, i) < 0 ? all.length : near.indexOf(false, i)
    const hunk = all.slice(i, end)
    const removed = hunk.filter(([mark]) => mark !== '+').length
    const added = hunk.filter(([mark]) => mark !== '-').length
    text += `@@ -${range(before, removed)} +${range(after, added)} @@\n${hunk.map(([mark, line]) => `${mark}${line}\n`).join('')}`
    before += removed
    after += added
    i = end
  }
  return text
}

/** diff.Diff of two values given as compact JSON with Go's names. */
export const goTextDiff = (a: string, b: string): string => unified(edits(indented(a), indented(b)))

/** The same of plain API objects, with names made up by rule and only of the fields that are set. */
export const goDiff = (a: unknown, b: unknown): string =>
  goTextDiff(JSON.stringify(withGoNames(a, false)) ?? 'null', JSON.stringify(withGoNames(b, false)) ?? 'null')
