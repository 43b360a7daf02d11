// B8 and B11 in Chromium: step to paint, bytes and time to the first interactive step; against an empty page in the same browser.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { chromium } from '@playwright/test'
import { percentile, round } from './measure.ts'

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function page(): Promise<void> {
  const { serve } = (await import(`${process.cwd()}/scripts/serve.mjs`)) as {
    serve(o: object): Promise<{ url: string; close(): Promise<void> }>
  }
  const { findBrowser } = (await import(`${process.cwd()}/scripts/browser.mjs`)) as { findBrowser(): Promise<string> }
  const assets = readdirSync('dist/assets')
  const kib = (pattern: RegExp): number =>
    assets.filter((f) => pattern.test(f)).reduce((n, f) => n + gzipSync(readFileSync(`dist/assets/${f}`)).length, 0) / 1024
  console.log(
    `gzip KiB: first load ${round(kib(/^index-.*\.(js|css)$/))}, simulation worker ${round(kib(/^worker-.*\.js$/))}, editor on demand ${round(kib(/^(monaco|editor|yaml).*\.js$/))}`,
  )
  const { url, close } = await serve({ dir: 'dist', base: '/play/orrery/' })
  const browser = await chromium.launch({ executablePath: await findBrowser(), args: ARGS })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const empty = await context.newPage()
  await empty.setContent('<button id="b">x</button><p id="p">0</p>')
  const paint = async (target: typeof empty, press: () => Promise<void>): Promise<number> => {
    await target.evaluate(() => {
      ;(window as { painted?: Promise<number> }).painted = new Promise((resolve) => {
        window.addEventListener(
          'click',
          () => {
            const started = performance.now()
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - started)))
          },
          { once: true, capture: true },
        )
      })
    })
    await press()
    return target.evaluate(() => (window as { painted?: Promise<number> }).painted as Promise<number>)
  }
  const tab = await context.newPage()
  const started = Date.now()
  await tab.goto(url)
  await tab.locator('[data-element="component:kube-apiserver/control-plane"]').waitFor({ timeout: 60_000 })
  console.log(`from navigation to an interactive cluster: ${Date.now() - started} ms`)
  await tab.getByTestId('begin').click()
  const own: number[] = []
  const bare: number[] = []
  for (let i = 0; i < 100; i++) {
    own.push(await paint(tab, () => tab.getByRole('button', { name: i % 3 === 2 ? 'Step back' : 'Step forward' }).click()))
    bare.push(await paint(empty, () => empty.locator('#b').click()))
  }
  console.log(
    `step to paint: p50 ${round(percentile(own, 50))} ms, p95 ${round(percentile(own, 95))} ms; empty page p95 ${round(percentile(bare, 95))} ms; difference ${round(percentile(own, 95) - percentile(bare, 95))} ms (bar 80 ms)`,
  )
  await browser.close()
  await close()
}
