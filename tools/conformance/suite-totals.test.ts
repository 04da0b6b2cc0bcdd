import { describe, expect, test } from 'vitest'
import { readLegacyReport, readNewestReport } from './suite-totals.ts'

/** A report as the newest runner prints it. */
const newest = (result: string, counts: Record<string, number>, api: string, data: string) => `Test results
  A test: Pass

Configuration:
  registry: 127.0.0.1:5000

OCI Conformance Result: ${result}
${Object.entries(counts)
  .map(([name, count]) => `  ${name.padEnd(30, '.')}: ${String(count).padStart(10)}`)
  .join('\n')}

API conformance:
  Pull..........................:       Pass
  Blobs mount...................: ${api.padStart(10)}

Data conformance:
  Image.........................: ${data.padStart(10)}
  Sparse Manifests..............:   Disabled
`

const good = { Disabled: 1, Skip: 0, Pass: 12, FAIL: 0, Error: 0 }

describe('the newest runner', () => {
  test('is content when every row passed', () => {
    const totals = readNewestReport(newest('Pass', good, 'Pass', 'Pass'), 0)
    expect(totals).toEqual({ passed: 12, failed: 0, skipped: 0, complaints: [] })
  })

  test.each([
    ['a skip, whatever the exit code', newest('Pass', { ...good, Skip: 1 }, 'Skip', 'Pass'), 0],
    ['an API that is switched off', newest('Pass', good, 'Disabled', 'Pass'), 0],
    ['data that failed', newest('FAIL', { ...good, FAIL: 2 }, 'Pass', 'FAIL'), 1],
    ['an error', newest('Error', { ...good, Error: 1 }, 'Pass', 'Pass'), 1],
    ['a run without a report', 'panic: no registry', 2],
    ['a run of nothing', newest('Pass', { Pass: 0 }, 'Pass', 'Pass'), 0],
  ])('complains of %s', (_, stdout, exitCode) => {
    expect(readNewestReport(stdout, exitCode).complaints).not.toEqual([])
  })

  test('counts errors as failures', () => {
    const totals = readNewestReport(newest('Error', { ...good, FAIL: 2, Error: 3 }, 'FAIL', 'Error'), 1)
    expect(totals.failed).toBe(5)
    expect(totals.complaints).toEqual(['The runner ended with 1.', 'Blobs mount: FAIL', 'Image: Error'])
  })
})

describe('the suite of 1.1.1', () => {
  test('is content with what it always skips', () => {
    const stdout =
      'Ran 75 of 79 Specs in 0.66 seconds\nSUCCESS! -- 75 Passed | 0 Failed | 0 Pending | 4 Skipped\nPASS\n'
    const expected = { passed: 75, failed: 0, skipped: 4, complaints: [] }
    expect(readLegacyReport(stdout, 0)).toEqual(expected)
  })

  test('complains of failures and of a run without a report', () => {
    const stdout = '  [FAIL] push a blob\nFAIL! -- 74 Passed | 1 Failed | 0 Pending | 4 Skipped\nFAIL\n'
    const complaints = ['The suite ended with 1.', 'push a blob']
    expect(readLegacyReport(stdout, 1)).toMatchObject({ passed: 74, failed: 1, complaints })
    expect(readLegacyReport('panic', 2).complaints).toHaveLength(2)
  })
})
