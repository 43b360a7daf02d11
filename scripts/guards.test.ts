// A guard that sees nothing passes: every rule that protects a law is shown a violation and must find it.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'guards-'))
  copyFileSync('.oxlintrc.json', join(dir, '.oxlintrc.json'))
  symlinkSync(resolve('node_modules'), join(dir, 'node_modules'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function lint(file: string, text: string): string {
  const path = join(dir, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  try {
    return execFileSync(resolve('node_modules/.bin/oxlint'), ['-c', '.oxlintrc.json', '-f', 'unix', file], { cwd: dir, encoding: 'utf8' })
  } catch (error) {
    return String((error as { stdout?: string }).stdout)
  }
}

describe('a planted violation is found', () => {
  it.each([
    ['the wall clock', 'src/sim/engine/x.ts', 'export const now = Date.now()\n', 'no-restricted-properties'],
    ['unseeded randomness', 'src/sim/net/x.ts', 'export const roll = Math.random()\n', 'no-restricted-properties'],
    ['a timer', 'src/sim/components/x.ts', 'setTimeout(() => {}, 1)\n', 'no-restricted-globals'],
    ['the locale', 'src/sim/api/x.ts', "export const c = 'a'.localeCompare('b')\n", 'no-restricted-properties'],
    ['the DOM inside the simulation', 'src/sim/components/y.ts', 'export const title = document.title\n', 'no-restricted-globals'],
    [
      'the simulation importing the page',
      'src/sim/cluster/x.ts',
      "import { App } from '../../ui/app/App.tsx'\nexport const a = App\n",
      'no-restricted-imports',
    ],
    [
      'the engine importing the network',
      'src/sim/engine/y.ts',
      "import { Network } from '../net/network.ts'\nexport const n = Network\n",
      'no-restricted-imports',
    ],
    [
      'API types importing a component',
      'src/sim/api/y.ts',
      "import { etcdType } from '../components/etcd/etcd.ts'\nexport const e = etcdType\n",
      'no-restricted-imports',
    ],
    [
      'a projection importing React',
      'src/projection/x.ts',
      "import { useState } from 'react'\nexport const s = useState\n",
      'no-restricted-imports',
    ],
    ['HTML from text', 'src/ui/x.ts', 'export const f = (e: HTMLElement, t: string) => { e.innerHTML = t }\n', 'no-restricted-properties'],
    ['eval', 'src/ui/y.ts', 'export const f = (t: string) => eval(t)\n', 'no-eval'],
  ])('%s', (_, file, text, rule) => {
    expect(lint(file, text)).toContain(rule)
  })

  it('and clean code is left alone', () => {
    expect(lint('src/sim/engine/z.ts', 'export const two = 1 + 1\n')).not.toMatch(/Error/)
  })
})
