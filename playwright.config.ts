import { defineConfig } from '@playwright/test'

/** The site is served from a sub-path with the strict policy, as any static host might. */
const address = `http://127.0.0.1:${process.env.E2E_PORT ?? 4199}/play/orrery/`

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  timeout: 90_000,
  expect: { timeout: 20_000 },
  workers: 2,
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: process.env.CI ? 1 : 0,
  reporter: [['line'], ['json', { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ?? '.cache/playwright.json' }]],
  outputDir: '.cache/e2e',
  use: {
    baseURL: address,
    viewport: { width: 1280, height: 800 },
    video: 'off',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `node scripts/serve.mjs --port ${process.env.E2E_PORT ?? 4199} --base /play/orrery/`,
    url: address,
    reuseExistingServer: !process.env.CI,
  },
})
