import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Case, replay } from './testing/replay.ts'

const folder = new URL('./golden/', import.meta.url)

for (const file of readdirSync(folder).sort()) {
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Case[] }
  describe(`a recorded API server answers the same about ${file.replace('.json', '')}`, () => {
    for (const recorded of cases) {
      it(recorded.name, () => {
        expect(replay(recorded).differences).toEqual([])
      })
    }
  })
}
