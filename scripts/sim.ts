// Runs a manifest without a browser and prints the trace, one record a line.
//   npm run sim -- manifest.yaml [--nodes 3] [--seed 7] [--until quiet|60s|5m] [--level story|detail|wire] [--digest]
import { readFileSync } from 'node:fs'
import { CLASSROOM } from '../src/sim/cluster/spec.ts'
import { openDocument } from '../src/worker/document.ts'

function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at >= 0 ? (process.argv[at + 1] ?? fallback) : fallback
}
function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

const file = process.argv[2]
if (!file || file.startsWith('--'))
  fail('usage: npm run sim -- manifest.yaml [--nodes 3] [--seed 7] [--until quiet|60s|5m] [--level story|detail|wire] [--digest]')
const until = option('until', 'quiet')
const duration = /^(\d+)(ms|s|m)$/.exec(until)
if (until !== 'quiet' && !duration) fail(`--until ${until}: must be quiet or a time such as 60s`)
const level = option('level', 'story')
const levels = level === 'wire' ? ['story', 'detail', 'wire'] : level === 'detail' ? ['story', 'detail'] : ['story']
let yaml = ''
try {
  yaml = readFileSync(file, 'utf8')
} catch (error) {
  fail(`${file}: ${(error as Error).message}`)
}
const open = openDocument({
  spec: { ...CLASSROOM, workers: Number(option('nodes', '3')) },
  seed: Number(option('seed', '1')),
  inputs: [],
  index: 0,
})
const { sim, startedAt, firstRecord } = open
const result = open.command({ do: 'apply', yaml })
for (const line of result.lines) console.error(line.markers[0] ? `${file}:${line.markers[0].line}: ${line.text}` : line.text)
if (duration) {
  const [, n, unit] = duration
  sim.runToTime(sim.now + Number(n) * (unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1))
} else if (!sim.runUntil({ kind: 'quiet' })) console.error('it never became quiet')
for (const record of sim.records().slice(firstRecord))
  if (levels.includes(record.level)) console.log(JSON.stringify({ ...record, at: Math.round((record.at - startedAt) * 1000) / 1000 }))
if (process.argv.includes('--digest')) console.log(`digest ${sim.traceDigest()}`)
process.exitCode = result.ok ? 0 : 1
