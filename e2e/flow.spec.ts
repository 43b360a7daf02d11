import { expect, test } from '@playwright/test'
import { apply, clock, openPage, pods, ready, runUntilQuiet } from './page.ts'

test('a newcomer creates an nginx Deployment and watches it become running pods on three nodes', async ({ page }) => {
  const { problems } = await openPage(page)
  await expect(page.getByRole('region', { name: 'Welcome' })).toBeVisible()
  await page.getByTestId('begin').click()
  await expect(page.getByTestId('caption')).toContainText(/kubectl|kube-apiserver|You/)
  await runUntilQuiet(page)
  await expect.poll(() => pods(page, 'web-').then((all) => all.filter((t) => t.includes('Running')).length)).toBe(3)
  for (const node of ['node-1', 'node-2', 'node-3']) await expect(page.locator(`[data-element="host:${node}"] [data-element^="pod:default/web-"]`)).toHaveCount(1)
  expect(problems).toEqual([])
})

test('stepping back and forward again lands on the same moment and the same digest', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await page.getByRole('button', { name: 'Pause' }).click({ timeout: 5000 }).catch(() => undefined)
  for (let i = 0; i < 12; i++) await page.getByRole('button', { name: 'Step forward' }).click()
  const [before, at] = [await page.getByTestId('caption').innerText(), await clock(page)]
  for (let i = 0; i < 6; i++) await page.getByRole('button', { name: 'Step back' }).click()
  expect(await page.getByTestId('position').innerText()).not.toBe('')
  for (let i = 0; i < 6; i++) await page.getByRole('button', { name: 'Step forward' }).click()
  await expect(page.getByTestId('caption')).toHaveText(before)
  expect(await clock(page)).toBe(at)
})

test('why leads from a running pod back to what the visitor did', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  await page.locator('[data-element^="pod:default/web-"]').first().click()
  await page.getByRole('button', { name: 'Why is it as it is?' }).click()
  await page.getByRole('button', { name: 'Why?' }).click()
  await expect(page.getByTestId('why')).toContainText('kubectl apply')
})

test('a stopped kubelet makes its node NotReady, and acting in the past makes a branch', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  await page.locator('[data-element="component:kubelet/node-2"]').click()
  await page.getByRole('button', { name: 'What if …' }).click()
  await page.getByRole('menuitem', { name: /Stop kubelet/ }).click()
  await runUntilQuiet(page)
  await expect(page.locator('[data-element="host:node-2"]')).toContainText('NotReady')
  await page.getByRole('button', { name: 'First step' }).click()
  await apply(page)
  await page.getByRole('button', { name: /^Branch/ }).click()
  await expect(page.getByRole('menuitem', { name: /branch 1/ })).toBeVisible()
})

test('a share link opens at the same step', async ({ page, context }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  const at = await clock(page)
  await page.getByRole('button', { name: /Share this moment/ }).click()
  const link = await page.getByTestId('share-link').inputValue()
  expect(link.length).toBeLessThan(1500)
  const other = await context.newPage()
  await other.goto(link)
  await ready(other)
  await expect.poll(() => clock(other)).toBe(at)
  await expect(other.getByRole('alert')).toHaveCount(0)
})

test('work in progress survives a reload', async ({ page }) => {
  await openPage(page)
  await apply(page)
  await runUntilQuiet(page)
  const at = await clock(page)
  await page.waitForTimeout(1500)
  await page.reload()
  await ready(page)
  await expect.poll(() => clock(page)).toBe(at)
})
