import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Case, runCase } from './testing/cases.ts'

const folder = new URL('./golden/', import.meta.url)

describe('pods answer as recorded', () => {
  for (const file of readdirSync(folder).sort()) {
    it(file, () => {
      const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Case[] }
      const outcomes = cases.map(runCase)
      const failed = outcomes.filter((o) => o.ok === false).map((o) => `${o.name}\n    ${o.difference}`)
      const judged = outcomes.filter((o) => o.ok !== undefined).length
      if (process.env['VERBOSE']) console.log(`${file}: ${judged - failed.length} of ${judged} judged, ${cases.length} in all`)
      expect(failed).toEqual([])
      expect(judged).toBeGreaterThan(0)
    })
  }
})
