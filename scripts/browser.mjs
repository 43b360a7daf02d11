// Finds a Chromium: an installed one, else Playwright's, else Debian's package. Prints nothing; throws with advice if all fail.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const INSTALLED = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

const installed = () => INSTALLED.find((path) => path && existsSync(path))

async function playwrights() {
  const { chromium } = await import('@playwright/test')
  const path = chromium.executablePath()
  return existsSync(path) ? path : undefined
}

/** @param {{ install?: boolean }} options install: fetch one if none is there */
export async function findBrowser({ install = false } = {}) {
  const found = installed() ?? (await playwrights())
  if (found || !install) return found
  console.log('No Chromium found; trying Playwright’s.')
  spawnSync('npx', ['playwright', 'install', 'chromium'], { stdio: 'inherit', timeout: 120_000 })
  const own = await playwrights()
  if (own) return own
  console.log('Trying the Debian package.')
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const args of [
    ['apt-get', 'update', '-qq'],
    ['apt-get', 'install', '-y', '-qq', 'chromium'],
  ]) {
    const [command, ...rest] = [...sudo, ...args]
    spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
  const debian = installed()
  if (debian) return debian
  throw new Error('The browser tests need Chromium. Install it, or set CHROMIUM_PATH to one.')
}

export function browserVersion(path) {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
}
