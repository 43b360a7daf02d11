import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeObject } from '../../../../api/decode.ts'
import { type ObjectSchema, schemaFor } from '../../../../api/schema/index.ts'
import type { PodSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import type { RegistryView } from '../strategy.ts'
import { computePodQOS } from './qos.ts'
import { podStrategy } from './strategy.ts'

const schema = schemaFor('', 'v1', 'Pod') as ObjectSchema
const view = { nowMs: 0 } as RegistryView
const words = ['', 'a', 'Web', '../x', '/a', 'a.b', 'cpu', 'hugepages-2Mi', '1.2.3.4', 'x'.repeat(64), '__proto__', 'constructor']
const leaves: Record<string, fc.Arbitrary<unknown>> = {
  string: fc.constantFrom(...words),
  bool: fc.boolean(),
  quantity: fc.constantFrom('1', '100m', '0.0001', '-1', '2Mi', '3Mi'),
  intOrString: fc.oneof(fc.integer({ min: -1, max: 70000 }), fc.constantFrom(...words)),
}
const number = fc.constantFrom(-1, 0, 1, 80, 512, 65536, 2147483647)

/** Values of a schema, most fields absent, not deeper than Kubernetes' own nesting. */
function arbitrary(s: ObjectSchema, depth: number): fc.Arbitrary<unknown> {
  if (s.type === 'array') return fc.array(arbitrary(s.items as ObjectSchema, depth + 1), { maxLength: 2 })
  if (s.type === 'map') return fc.dictionary(fc.constantFrom(...words), arbitrary(s.items as ObjectSchema, depth + 1), { maxKeys: 2 })
  if (s.type !== 'object') return leaves[s.type] ?? (s.type.startsWith('int') ? number : fc.constant(null))
  if (depth > 8) return fc.constant({})
  const fields = [...(s.fields?.() ?? [])].filter(([name]) => name !== 'managedFields')
  return fc
    .subarray(fields, { maxLength: Math.min(4, fields.length) })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map(([name, f]) => [name, arbitrary(f.schema, depth + 1)]))))
}

const spec = schema.fields?.().get('spec')?.schema as ObjectSchema
const pods = arbitrary(spec, 0).map((s) => {
  const decoded = decodeObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'ns' }, spec: s }, schema)
  if (!decoded.value) throw new Error(decoded.error)
  const pod: KubeObject = decoded.value.object
  podStrategy.defaults(pod)
  return pod
})

describe('whatever the pod', () => {
  it('defaulting twice changes nothing more', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const again = structuredClone(pod)
        podStrategy.defaults(again)
        expect(again).toEqual(pod)
      }),
      { numRuns: 300 },
    )
  })

  it('creating and updating are decided without exceptions, and an update that changes nothing keeps the generation', () => {
    fc.assert(
      fc.property(pods, (draft) => {
        const pod = structuredClone(draft)
        podStrategy.prepareForCreate?.(pod, view)
        podStrategy.validate(pod, view)
        podStrategy.createWarnings?.(pod, view)
        podStrategy.row(pod, 0)
        for (const sub of [podStrategy, ...Object.values(podStrategy.subresources ?? {})]) {
          if ('does' in sub && sub.does !== 'update') continue
          const next = structuredClone(pod)
          sub.prepareForUpdate?.(next, pod, view)
          sub.validateUpdate(next, pod, view)
          expect(next.metadata.generation).toBe(1)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('validation does not touch the object', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const before = structuredClone(pod)
        podStrategy.validate(pod, view)
        podStrategy.validateUpdate(pod, before, view)
        expect(pod).toEqual(before)
      }),
      { numRuns: 200 },
    )
  })
})

describe('the QoS class', () => {
  const of = (...resources: object[]): string =>
    computePodQOS({ containers: resources.map((r, i) => ({ name: `c${i}`, resources: r })) } as PodSpec)
  const full = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }

  it('is Guaranteed only if every container asks for exactly its limits of CPU and memory', () => {
    expect(of(full)).toBe('Guaranteed')
    expect(of(full, full)).toBe('Guaranteed')
    expect(of(full, {})).toBe('Burstable')
    expect(of({ limits: { cpu: '1' }, requests: { cpu: '1' } })).toBe('Burstable')
  })

  it('is BestEffort without CPU and memory, whatever else is asked for', () => {
    expect(of({})).toBe('BestEffort')
    expect(of({ requests: { cpu: '0', 'example.com/gpu': '1' } })).toBe('BestEffort')
  })
})
