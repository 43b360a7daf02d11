// Plain data as YAML the way sigs.k8s.io/yaml prints it: keys sorted, two spaces, list items at their key's depth.

const PLAIN = /^[A-Za-z_/.][A-Za-z0-9_/.,=@+-]*(?::[A-Za-z0-9_/.,=@+-]+)*$/
const RESERVED = /^(true|false|yes|no|on|off|null|~|y|n)$/i

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  if (value === '') return '""'
  if (RESERVED.test(value) || /^[-+.\d]/.test(value)) return /^--?[a-z]/.test(value) ? value : JSON.stringify(value)
  return PLAIN.test(value) || /^[A-Za-z][^:#\n'"{}[\]&*!|>%@`]*$/.test(value) ? value : JSON.stringify(value)
}

export function toYaml(value: unknown, depth = 0): string {
  const pad = '  '.repeat(depth)
  if (Array.isArray(value)) {
    return value
      .map((item) => {
        if (item === null || typeof item !== 'object') return `${pad}- ${scalar(item)}\n`
        const inner = toYaml(item, depth + 1)
        return `${pad}- ${inner.slice((depth + 1) * 2)}`
      })
      .join('')
  }
  if (value === null || typeof value !== 'object') return `${pad}${scalar(value)}\n`
  return Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => {
      if (Array.isArray(v)) return v.length === 0 ? `${pad}${k}: []\n` : `${pad}${k}:\n${toYaml(v, depth)}`
      if (v !== null && typeof v === 'object')
        return Object.keys(v).length === 0 ? `${pad}${k}: {}\n` : `${pad}${k}:\n${toYaml(v, depth + 1)}`
      return `${pad}${k}: ${scalar(v)}\n`
    })
    .join('')
}
