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
  await page.evaluate((value) => navigator.clipboard?.writeText(value).catch(() => undefined), text)
  await page.keyboard.insertText(text)
}

export async function apply(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
}

export async function runUntilQuiet(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Run until quiet/ }).click()
  await expect(page.getByRole('button', { name: 'Play' })).toBeEnabled()
}

export const clock = (page: Page): Promise<string> => page.getByTestId('clock').innerText()

/** Pods in the picture by name prefix, with their status text. */
export async function pods(page: Page, prefix: string): Promise<string[]> {
  return page.locator(`[data-element^="pod:default/${prefix}"]`).evaluateAll((all) => all.map((e) => e.getAttribute('title') ?? ''))
}
