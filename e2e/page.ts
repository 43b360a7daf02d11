// What the browser tests do with the page, in the page's own words.
import { expect, type Page } from '@playwright/test'

export async function openPage(page: Page, hash = ''): Promise<{ problems: string[] }> {
  const problems: string[] = []
  page.on('console', (m) => {
    if (m.type() === 'error' || /Content Security Policy/.test(m.text())) problems.push(m.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(`./${hash}`)
  await ready(page)
  return { problems }
}

export async function ready(page: Page): Promise<void> {
  await expect(page.locator('[data-element="component:kube-apiserver/control-plane"]')).toBeVisible({ timeout: 60_000 })
}

/** Replaces the manifest: through the editor's model when Monaco is there, else the plain field. */
export async function writeManifest(page: Page, text: string): Promise<void> {
  const editor = page.getByRole('region', { name: 'Manifest editor' })
  await expect(editor.locator('.view-lines')).toBeVisible({ timeout: 60_000 })
  await editor.locator('.view-lines').click()
  await page.keyboard.press('Control+A')
  // Pasted, not typed: typing indents by itself, as it should.
  await page.evaluate((value) => {
    const data = new DataTransfer()
    data.setData('text/plain', value)
    document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  }, text)
  // An editor draws spaces as no-break spaces.
  const last = text.trimEnd().split('\n').at(-1)?.trim() ?? ''
  await expect.poll(async () => (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ')).toContain(last.slice(0, 20))
}

export async function apply(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await expect(page.getByRole('list', { name: 'Results' })).toBeVisible()
}

/** The worker has answered everything that was asked. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeEnabled()
  await expect(page.getByRole('toolbar', { name: 'Transport' })).toHaveAttribute('aria-busy', 'false')
}

/** An entry of the menu that lets time pass. */
export async function skip(page: Page, entry: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Skip', exact: true }).click()
  await page.getByRole('menuitem', { name: entry }).click()
  await settled(page)
}

/** Replaces the manifest by one of the examples. */
export async function example(page: Page, title: RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Examples' }).click()
  await page.getByRole('menuitem', { name: title }).click()
}

/** Opens the menu of one element and chooses. */
export async function choose(page: Page, element: string, entry: RegExp): Promise<void> {
  await page
    .locator(`[data-element^="${element}"]`)
    .first()
    .click({ button: 'right', position: { x: 20, y: 8 } })
  await page.getByRole('menuitem', { name: entry }).first().click()
}

export async function runUntilQuiet(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Run until quiet/ }).click()
  await settled(page)
}

export const clock = (page: Page): Promise<string> => page.getByTestId('clock').innerText()

/** Pods in the picture by name prefix, with their status text. */
export async function pods(page: Page, prefix: string): Promise<string[]> {
  return page.locator(`[data-element^="pod:default/${prefix}"]`).evaluateAll((all) => all.map((e) => e.getAttribute('title') ?? ''))
}
