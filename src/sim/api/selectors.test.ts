import { describe, expect, test } from 'vitest'
import { fieldSelectorMatches, fieldSelectorToString, parseFieldSelector } from './fieldselector.ts'
import recorded from './golden/go.json' with { type: 'json' }
import answers from './golden/selectors.json' with { type: 'json' }
import {
  convertLabelSelector,
  formatLabelSelector,
  formatLabels,
  labelSelectorAsSelector,
  parseSelector,
  selectorFromSet,
  selectorMatches,
} from './labels.ts'

interface Row {
  text: string
  error?: string
  string?: string
}

describe('selectors as Go parses and prints them', () => {
  test.each(recorded.labels as Row[])('labels $text', (row) => {
    const parsed = parseSelector(row.text)
    expect(parsed.error ?? parsed.value?.toString()).toBe(row.error ?? row.string)
  })
  test.each(recorded.fields as Row[])('fields $text', (row) => {
    const parsed = parseFieldSelector(row.text)
    expect(parsed.error ?? (parsed.value && fieldSelectorToString(parsed.value))).toBe(row.error ?? row.string)
  })
  test.each(answers as { labels?: string; fields?: string; message: string }[])(
    'the API server says: $message',
    ({ labels, fields, message }) => {
      expect(labels !== undefined ? parseSelector(labels).error : parseFieldSelector(fields ?? '').error).toBe(message)
    },
  )
})

test('a selector selects', () => {
  const matches = (text: string, labels: Record<string, string>): boolean | undefined => parseSelector(text).value?.matches(labels)
  expect(matches('a=b,c!=d', { a: 'b' })).toBe(true)
  expect(matches('a notin (b)', {})).toBe(true)
  expect(matches('!a', { a: '' })).toBe(false)
  expect(matches('n>1', { n: '2' })).toBe(true)
  expect(matches('n>1', { n: 'x' })).toBe(false)
  expect(matches('a in ()', { a: '' })).toBe(true)
  expect(matches('constructor', {})).toBe(false)
})

test('an absent LabelSelector selects nothing, an empty one everything', () => {
  expect(selectorMatches(undefined, { a: 'b' })).toBe(false)
  expect(selectorMatches({}, { a: 'b' })).toBe(true)
  expect(selectorMatches({ matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] }, { a: 'c' })).toBe(true)
  expect(selectorFromSet({}).empty()).toBe(true)
})

test('a LabelSelector is printed sorted', () => {
  const selector = {
    matchLabels: { b: '1', a: '2' },
    matchExpressions: [
      { key: 'z', operator: 'Exists' },
      { key: 'c', operator: 'NotIn', values: ['y', 'x'] },
    ],
  }
  expect(labelSelectorAsSelector(selector)?.toString()).toBe('a=2,b=1,c notin (x,y),z')
  expect(formatLabelSelector({})).toBe('<none>')
  expect(formatLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Is' }] })).toBe('<error>')
  expect(convertLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Is' }] }).error).toBe(
    '"Is" is not a valid label selector operator',
  )
  expect(formatLabels({ b: '1', a: '' })).toBe('a=,b=1')
})

test('a field that an object does not have counts as empty', () => {
  const selector = parseFieldSelector('spec.nodeName=,status.phase!=Running').value
  expect(selector && fieldSelectorMatches(selector, { 'status.phase': 'Pending' })).toBe(true)
  expect(selector && fieldSelectorMatches(selector, { 'status.phase': 'Running' })).toBe(false)
})
