// All benchmarks, one command: `npm run bench` (or `npm run bench -- engine seek`). Every figure is a ratio inside this run, because machines differ.
// A and B are interleaved; the median of paired ratios is printed with its spread.
import { convergence } from './convergence.ts'
import { door } from './door.ts'
import { engine } from './engine.ts'
import { page } from './page.ts'
import { seek } from './seek.ts'
import { spawnSync } from 'node:child_process'

const BENCHES: Readonly<Record<string, () => void | Promise<void>>> = {
  /** B1 */
  scheduler: () => void spawnSync(process.execPath, ['scripts/run-ts.mjs', 'bench/scheduler.ts'], { stdio: 'inherit' }),
  /** B2 */
  convergence,
  /** B4 */
  engine,
  /** B7 */
  seek,
  /** Requests through the in-process door. */
  door,
  /** B8 and B11: needs a built page and Chromium. */
  page,
}

const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'))
for (const name of wanted)
  if (!Object.hasOwn(BENCHES, name)) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}`)
for (const [name, run] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n── ${name}`)
  await run()
}
