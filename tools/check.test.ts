import { expect, test } from 'vitest'
import type { Check } from './check/checks.ts'
import { describeResults, runChecks } from './check/run-checks.ts'

const check = (name: string, program: string): Check => ({
  name,
  command: process.execPath,
  args: ['-e', program],
  remedy: `mend ${name}`,
})

test('every check runs, whatever fails before it', async () => {
  const results = await runChecks(
    [
      check('a', "console.error('said a'); process.exit(1)"),
      check('b', "console.log('said b')"),
      { ...check('c', ''), command: 'no-such-program-here' },
      check('d', "console.log('said d')"),
    ],
    import.meta.dirname,
    2,
  )
  expect(results.map((result) => result.passed)).toEqual([false, true, false, true])
  const text = describeResults(results)
  expect(text).toContain('said a')
  expect(text).not.toContain('said b')
  expect(text).toMatch(/^a {2}FAILED .*\(mend a\)$/m)
  expect(text).toMatch(/^b {2}passed .* s$/m)
  expect(text).toMatch(/^c {2}FAILED/m)
  expect(text).toContain('no-such-program-here cannot be started')
})
