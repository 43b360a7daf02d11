import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { EXAMPLES } from '../src/scenarios/examples.ts'
import { decodeLink } from '../src/session/share.ts'
import { apply, openPage, runUntilQuiet } from './page.ts'

test('the worker in the browser and the command line in Node give the same trace, byte for byte', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  await page.getByRole('button', { name: /Share this moment/ }).click()
  const link = await page.getByTestId('share-link').inputValue()
  const { digest, document } = decodeLink(new URL(link).hash.slice('#x='.length))
  expect(document.inputs).toHaveLength(1)
  const file = join(mkdtempSync(join(tmpdir(), 'orrery-')), 'manifest.yaml')
  writeFileSync(file, EXAMPLES[0]?.yaml ?? '')
  const out = execFileSync(
    process.execPath,
    ['scripts/run-ts.mjs', 'scripts/sim.ts', file, '--seed', '1', '--nodes', '3', '--until', 'quiet', '--digest'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  expect(digest).toMatch(/^[0-9a-f]{16}$/)
  expect(`digest ${digest}`).toBe(out.trim().split('\n').pop())
})
