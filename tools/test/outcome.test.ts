import { describe, expect, test } from 'vitest'
import { addSkip, describeOutcome, exitCodeOf, totalsLine, type Outcome } from './outcome.ts'

const empty = (): Outcome => ({ passed: 0, failures: [], skipped: new Map() })

describe('a missing peer', () => {
  test.each([
    ['podman', true, 1],
    ['podman', false, 0],
    ['oci-conformance', true, 0],
    ['oci-conformance-legacy', true, 0],
    ['zot', true, 0],
    ['zot-like', true, 1],
  ])('%s, CI %s: %i failures', (name, ci, failures) => {
    const outcome = empty()
    addSkip(outcome, { title: 'x', reason: `missing peer: ${name} (set A_BIN)` }, { ci })
    expect(outcome.failures).toHaveLength(failures)
    expect(outcome.skipped.size).toBe(1 - failures)
  })

  test('another reason is a skip everywhere', () => {
    const outcome = empty()
    addSkip(outcome, { title: 'x', reason: 'needs macOS; missing peer: none' }, { ci: true })
    expect(totalsLine(outcome)).toBe('0 passed, 0 failed, 1 skipped')
  })
})

test('skips are grouped by reason, the most frequent first', () => {
  const outcome = empty()
  addSkip(outcome, { title: 'one', reason: 'r1' }, { ci: false })
  addSkip(outcome, { title: 'two', reason: 'r2' }, { ci: false })
  addSkip(outcome, { title: 'three', reason: 'r2' }, { ci: false })
  expect(describeOutcome(outcome).trim()).toBe(
    ['Skipped:', '  2 × r2', '      two', '      three', '  1 × r1', '      one'].join('\n'),
  )
  expect(totalsLine(outcome)).toBe('0 passed, 0 failed, 3 skipped')
})

test('failures are told in full', () => {
  const outcome = {
    ...empty(),
    passed: 3,
    failures: [{ title: 'a.test.ts > b', detail: 'expected 1\n  at a.test.ts:3' }],
  }
  expect(describeOutcome(outcome)).toContain('FAILED 1/1  a.test.ts > b\n  expected 1\n    at a.test.ts:3')
  expect(totalsLine(outcome)).toBe('3 passed, 1 failed, 0 skipped')
})

test('only a run in which something passed and nothing failed is good', () => {
  expect(exitCodeOf({ ...empty(), passed: 1 })).toBe(0)
  expect(exitCodeOf(empty())).toBe(1)
  expect(exitCodeOf({ ...empty(), skipped: new Map([['r', ['t']]]) })).toBe(1)
  expect(exitCodeOf({ ...empty(), passed: 1, failures: [{ title: 't', detail: '' }] })).toBe(1)
})
