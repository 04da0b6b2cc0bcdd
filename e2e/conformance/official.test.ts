import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missingReason, officialSuites, resultsOf } from '../../tools/conformance/official-suites.ts'
import { startTemporaryRegistry } from './start-registry.ts'

describe('the official suites', () => {
  test.for(officialSuites)('$name', async (suite, context) => {
    const binary = process.env[suite.variable]
    if (binary === undefined || binary === '') return context.skip(missingReason(suite))
    await using registry = await startTemporaryRegistry()
    const folder = await mkdtemp(join(tmpdir(), 'conformance-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const results = resultsOf(folder, suite)
    const totals = await suite.run({ binary, origin: registry.origin, results })
    expect(totals.complaints).toEqual([])
    expect(totals.failed).toBe(0)
    expect(totals.passed).toBeGreaterThan(0)
  })
})
