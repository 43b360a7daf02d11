import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { apply, openPage, runUntilQuiet } from './page.ts'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']

for (const scheme of ['dark', 'light'] as const)
  test(`axe finds nothing on the main screens (${scheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme })
    await openPage(page)
    const scan = async (): Promise<string[]> =>
      (await new AxeBuilder({ page }).withTags(TAGS).exclude('.monaco-editor').analyze()).violations.map(
        (v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`,
      )
    expect(await scan()).toEqual([])
    await apply(page)
    await runUntilQuiet(page)
    await page.locator('[data-element="component:kube-scheduler/control-plane"]').click()
    expect(await scan()).toEqual([])
    await page.getByRole('tab', { name: 'Outline' }).click()
    expect(await scan()).toEqual([])
    await page.getByRole('tab', { name: 'Objects' }).click()
    await expect(page.getByRole('table').first()).toBeVisible()
    expect(await scan()).toEqual([])
    await page.getByRole('button', { name: 'Help and keys' }).click()
    expect(await scan()).toEqual([])
  })

test('everything is reachable by keyboard: regions, picture, inspector, transport', async ({ page }) => {
  await openPage(page)
  await page.locator('body').press('F6')
  await page.locator('section[data-region="graph"]').focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await expect(page.locator('#inspector h2')).toBeVisible()
  await page.locator('section[data-region="graph"]').focus()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Help and keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  await expect(page.getByRole('dialog', { name: 'Search' })).toBeVisible()
  await page.keyboard.type('coredns')
  await expect(page.getByRole('option').first()).toBeVisible()
  await page.keyboard.press('Escape')
  // The menu of the focused element, without a mouse.
  await page.locator('section[data-region="graph"]').focus()
  await page.keyboard.press('.')
  await expect(page.getByRole('menu')).toBeVisible()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toHaveCount(0)
  await expect(page.locator('section[data-region="graph"]')).toBeFocused()
})

test('steps are announced at once, and rarely while playing', async ({ page }) => {
  await openPage(page)
  await page.evaluate(() => {
    const said: number[] = []
    Object.assign(window, { said })
    const live = document.querySelector('[data-testid="announcer"]')
    if (live)
      new MutationObserver(() => said.push(performance.now())).observe(live, { childList: true, characterData: true, subtree: true })
  })
  await page.getByRole('combobox', { name: 'Speed' }).selectOption('8')
  await apply(page)
  await page.waitForTimeout(6500)
  await page.getByRole('button', { name: 'Pause' }).click()
  const gaps = await page.evaluate(() =>
    (window as unknown as { said: number[] }).said.map((t, i, all) => (i === 0 ? Number.POSITIVE_INFINITY : t - (all[i - 1] ?? 0))),
  )
  expect(gaps.length).toBeGreaterThan(1)
  // The first gap lies between the command and the start of playing.
  expect(Math.min(...gaps.slice(2))).toBeGreaterThan(1900)
  await page.getByRole('button', { name: 'Step forward' }).click()
  await expect(page.getByTestId('announcer')).toHaveText((await page.getByTestId('caption').innerText()).replace(/^[\d.]+ \w+ pass\s*/, ''))
})

test('forced colours keep the states apart', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' })
  await openPage(page)
  await expect(page.locator('[data-element="host:node-1"]')).toContainText('● Ready')
  await page.getByRole('tab', { name: 'Objects' }).focus()
  expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).not.toBe('none')
})

test('reduced motion: nothing moves by itself', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await openPage(page)
  await apply(page)
  await page.waitForTimeout(300)
  expect(await page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length)).toBe(0)
})

test('the outline says what the picture shows', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  await page.getByRole('tab', { name: 'Outline' }).click()
  const drawn = await page
    .locator('section[data-region="graph"] [data-element]')
    .evaluateAll((all) => [...new Set(all.map((e) => e.getAttribute('data-element')))].sort())
  const told = await page.locator('[data-outline]').evaluateAll((all) => all.map((e) => e.getAttribute('data-outline')).sort())
  expect(told).toEqual(drawn)
})

test('on a phone everything is there, one pane at a time', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await openPage(page)
  await page.getByRole('button', { name: 'Workbench' }).click()
  await expect(page.getByRole('button', { name: 'Apply', exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Picture' }).click()
  await expect(page.locator('[data-element="host:node-1"]')).toBeVisible()
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
})
