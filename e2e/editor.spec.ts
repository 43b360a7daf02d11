import { expect, test } from '@playwright/test'
import { apply, clock, openPage, pods, writeManifest } from './page.ts'

test('the schema marks a wrong type and the API server its own errors, each on its line', async ({ page }) => {
  await openPage(page)
  await writeManifest(page, 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: Bad_Name\nspec:\n  containers:\n  - name: a\n    image: nginx\n')
  await expect(page.getByTestId('verdict')).toContainText('1 of 1 refused')
  await expect(page.getByRole('button', { name: 'line 4' })).toBeVisible()
  await expect(page.getByRole('list', { name: /API server/ })).toContainText('metadata.name: Invalid value: "Bad_Name"')
  await expect(page.locator('.squiggly-error').first()).toBeVisible()
  // The shim between monaco-yaml and Monaco works only if the schema itself finds errors.
  await writeManifest(page, 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: many\n')
  const word = await page.locator('.view-line', { hasText: 'replicas' }).getByText('many').boundingBox()
  if (!word) throw new Error('the wrong value is not drawn')
  // The marks come when the language worker has read the schema; the hover says what it found.
  await expect(async () => {
    await page.mouse.move(word.x + 200, word.y + 120)
    await page.mouse.move(word.x + word.width / 2, word.y + word.height / 2, { steps: 3 })
    await expect(page.locator('.monaco-hover').first()).toContainText(/Incorrect type|Expected/, { timeout: 2500 })
  }).toPass({ timeout: 30_000 })
})

const HOSTILE: readonly (readonly [string, string, RegExp])[] = [
  ['broken YAML', 'apiVersion: v1\nkind: [Pod\nmetadata: {', /refused/],
  ['an unknown field', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containrs: []\n', /refused/],
  ['a wrong type', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: nope}\n', /refused/],
  [
    'an alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}\napiVersion: v1\nkind: ConfigMap\n`,
    /refused/,
  ],
  [
    'prototype keys',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: proto\n  labels:\n    __proto__: x\ndata:\n  __proto__: polluted\n  constructor: y\n',
    /valid|refused/,
  ],
]
for (const [what, text, verdict] of HOSTILE)
  test(`${what} gets a clear answer and leaves the cluster as it was`, async ({ page }) => {
    const { problems } = await openPage(page)
    const before = await clock(page)
    await writeManifest(page, text)
    await expect(page.getByTestId('verdict')).toContainText(verdict)
    expect(await clock(page)).toBe(before)
    expect(await page.evaluate(() => Object.hasOwn(Object.prototype, 'polluted') || ({} as Record<string, unknown>).x !== undefined)).toBe(
      false,
    )
    expect(problems).toEqual([])
  })

test('a script in a name or label stays text everywhere', async ({ page }) => {
  const { problems } = await openPage(page)
  await writeManifest(
    page,
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: xss\n  annotations:\n    note: '<img src=x onerror=\"document.title=1\">'\nspec:\n  containers:\n  - name: a\n    image: '<script>alert(1)</script>'\n",
  )
  await apply(page)
  await page.getByRole('button', { name: /Run until quiet/ }).click()
  await expect.poll(() => pods(page, 'xss').then((p) => p.length)).toBe(1)
  await page.locator('[data-element="pod:default/xss"]').click()
  await page.getByRole('tab', { name: 'YAML' }).click()
  await expect(page.locator('#inspector pre')).toContainText('<img src=x')
  expect(await page.title()).toContain('Orrery')
  expect(problems).toEqual([])
})

test('the editor is no keyboard trap', async ({ page }) => {
  await openPage(page)
  const editor = page.getByRole('region', { name: 'Manifest editor' })
  await editor.locator('.view-lines').click()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Examples' })).toBeFocused()
})

test('the diff shows what applying would change, without changing it', async ({ page }) => {
  await openPage(page)
  const before = await clock(page)
  await page.getByRole('button', { name: 'Diff' }).click()
  await expect(page.getByRole('dialog')).toContainText('deployment.apps/web created (server dry run)')
  await page.keyboard.press('Escape')
  expect(await clock(page)).toBe(before)
})
