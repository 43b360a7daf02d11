// `npm test`: installs what the tests need, runs every check, and ends with one line `N passed, N failed`.
//   --only unit,e2e   runs some of the checks by name
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { installPackages } from './install.mjs'

installPackages()
const { findBrowser } = await import('./browser.mjs')
mkdirSync('.cache', { recursive: true })
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1].split(',') : undefined

function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/** Counts of a vitest or Playwright JSON report; a run without a report counts as one failure. */
function counts(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  if (report.stats) return { passed: report.stats.expected + report.stats.flaky, failed: report.stats.unexpected }
  return { passed: report.numPassedTests, failed: report.numFailedTests + (report.success || report.numFailedTests > 0 ? 0 : 1) }
}

let passed = 0
let failed = 0
const failures = []
function count(name, result) {
  passed += result.passed
  failed += result.failed
  if (result.failed > 0) failures.push(name)
}
async function check(name, command, args) {
  if (only && !only.includes(name)) return true
  console.log(`\n── ${name}`)
  const code = await run(command, args)
  count(name, code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
  return code === 0
}

await check('types', 'npm', ['run', '-s', 'typecheck'])
await check('lint', 'npm', ['run', '-s', 'lint'])
await check('format', 'npm', ['run', '-s', 'format:check'])
await check('dead code', 'npx', ['knip'])
const built = await check('build', 'npx', ['vite', 'build', '--logLevel', 'warn'])
if (!only || only.includes('unit')) {
  console.log('\n── unit')
  const report = '.cache/vitest.json'
  const code = await run('npx', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
  const result = counts(report)
  count('unit', code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result)
}
if (built) await check('size', 'npx', ['size-limit'])
if (built && (!only || only.includes('e2e'))) {
  console.log('\n── e2e')
  const browser = await findBrowser({ install: true })
  const report = '.cache/playwright.json'
  const code = await run('npx', ['playwright', 'test'], { CHROMIUM_PATH: browser, PLAYWRIGHT_JSON_OUTPUT_NAME: report })
  const result = counts(report)
  count('e2e', code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result)
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
