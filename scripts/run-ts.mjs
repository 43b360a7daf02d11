// Runs a TypeScript entry in Node: bundles it with rolldown into .cache/node and imports the result.
//   node scripts/run-ts.mjs scripts/sim.ts ARGS…
import { mkdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installPackages } from './install.mjs'

const entry = process.argv[2]
if (!entry) throw new Error('usage: run-ts.mjs ENTRY [ARGS]')
installPackages()
const { build } = await import('rolldown')
mkdirSync('.cache/node', { recursive: true })
const file = resolve('.cache/node', `${basename(entry).replace(/\.ts$/, '')}-${process.pid}.mjs`)
await build({
  input: entry,
  platform: 'node',
  external: [/^[a-z@](?!:)/],
  write: true,
  logLevel: 'warn',
  output: { file, format: 'esm', sourcemap: 'inline', codeSplitting: false },
})
process.argv.splice(1, 2, entry)
try {
  await import(pathToFileURL(file).href)
} finally {
  const { rmSync } = await import('node:fs')
  rmSync(file, { force: true })
}
