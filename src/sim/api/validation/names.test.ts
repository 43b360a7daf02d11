import { describe, expect, test } from 'vitest'
import recorded from '../golden/go.json' with { type: 'json' }
import * as names from './names.ts'

const RULES: Readonly<Record<string, (value: string) => string[]>> = {
  dns1123label: names.isDNS1123Label,
  dns1123subdomain: names.isDNS1123Subdomain,
  dns1035label: names.isDNS1035Label,
  qualified: names.isQualifiedName,
  labelvalue: names.isValidLabelValue,
  wildcard: names.isWildcardDNS1123Subdomain,
  cid: names.isCIdentifier,
  portname: names.isValidPortName,
  percent: names.isValidPercent,
  header: names.isHTTPHeaderName,
  env: names.isEnvVarName,
  relaxedenv: names.isRelaxedEnvVarName,
  configkey: names.isConfigMapKey,
}

describe('rules for names say what Go says', () => {
  test.each(recorded.names as unknown as Record<string, string[] | null>[])('$text', (row) => {
    const text = row.text as unknown as string
    const said = Object.fromEntries(Object.entries(RULES).map(([name, rule]) => [name, rule(text)]))
    expect(said).toEqual(Object.fromEntries(Object.keys(RULES).map((name) => [name, row[name] ?? []])))
  })
})

test('a generateName may end in a dash', () => {
  expect(names.nameIsDNSSubdomain('web-', true)).toEqual([])
  expect(names.nameIsDNSSubdomain('web-', false)).not.toEqual([])
})
