import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkout } from './checkout.ts'
import type { Seen, Suite } from './mutation.ts'

/** Some tests let chance decide who comes first. */
const attempts = 3

/** The report of Vitest as JSON, as far as it is read here. */
interface Report {
  numPassedTests: number
  testResults: { assertionResults: { status: string; title: string }[] }[]
}

/** Runs tests of a checkout until one is red, a few times at most. @returns null when none is. */
export async function runSuite(checkout: Checkout, suite: Suite): Promise<Seen | null> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const failed = await failedTests(checkout, suite)
    if (failed.length === 0) continue
    return {
      text: `${suite.file}: ${failed.join('; ')}`,
      folder: null,
      passes: async () => (await failedTests(checkout, suite)).length === 0,
    }
  }
  return null
}

async function failedTests({ folder }: Checkout, { file, tests }: Suite): Promise<string[]> {
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs')
  const path = join(folder, 'suite-report.json')
  await rm(path, { force: true })
  const words = ['run', file, '--testNamePattern', tests, '--reporter', 'json', '--outputFile', path]
  const child = spawn(process.execPath, [vitest, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const hear = (chunk: Buffer): void => void (output += chunk.toString())
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  await once(child, 'close')
  const report = await readFile(path, 'utf8').catch(() => null)
  if (report === null) throw new Error(`The tests themselves do not run: ${output}`)
  const { numPassedTests, testResults } = JSON.parse(report) as Report
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = results.filter(({ status }) => status === 'failed').map(({ title }) => title)
  if (numPassedTests + failed.length === 0)
    throw new Error(`No test of ${file} is called "${tests}": ${output}`)
  return failed
}
