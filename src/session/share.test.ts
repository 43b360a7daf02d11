import { deflateSync, strToU8 } from 'fflate'
import { describe, expect, it } from 'vitest'
import type { DocumentState } from '../protocol/messages.ts'
import { CLASSROOM } from '../sim/cluster/spec.ts'
import { decodeLink, encodeLink, LinkError } from './share.ts'

const manifest = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: nginx
          image: nginx:1.27
`
const lab: DocumentState = {
  spec: { ...CLASSROOM, workers: 5 },
  seed: 7,
  inputs: [
    ...['web', 'api', 'cache', 'db'].map((name, i) => ({ index: i * 100, command: { do: 'apply' as const, yaml: manifest(name) } })),
    { index: 900, command: { do: 'fault', fault: { kind: 'stop-process', process: 'kubelet/node-2' } } },
  ],
  index: 1234,
}

describe('a share link', () => {
  it('brings back the same experiment and step', () => {
    const link = encodeLink(lab, 'abc')
    expect(decodeLink(link)).toEqual({ document: lab, version: 1, digest: 'abc' })
  })

  it('of a lab with four manifests and a fault stays below 1000 characters', () => {
    expect(encodeLink(lab).length).toBeLessThan(1000)
  })

  it.each([
    ['nothing', ''],
    ['no base64', '%%%'],
    ['no deflate', 'aGVsbG8'],
    ['too long', 'A'.repeat(40_000)],
  ])('that holds %s is refused with a clear error', (_, text) => {
    expect(() => decodeLink(text)).toThrow(LinkError)
  })

  it('that unpacks to gigabytes is refused before it does', () => {
    const bomb = Buffer.from(deflateSync(strToU8(`"${'0'.repeat(12 * 1024 * 1024)}"`))).toString('base64url')
    expect(bomb.length).toBeLessThan(32 * 1024)
    expect(() => decodeLink(bomb)).toThrow(/4 MiB|cannot be read/)
  })

  it.each([
    ['an unknown shape', '[1,2]'],
    ['a cluster of 5000 workers', JSON.stringify({ v: 1, s: 1, at: 0, i: [], c: { workers: 5000 } })],
    ['an action that is none', JSON.stringify({ v: 1, s: 1, at: 0, i: [[0, 'rm -rf']] })],
  ])('with %s is refused', (_, json) => {
    const text = Buffer.from(deflateSync(strToU8(json))).toString('base64url')
    expect(() => decodeLink(text)).toThrow(LinkError)
  })
})
