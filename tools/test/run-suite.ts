import { startVitest } from 'vitest/node'
import { clientMatrix } from './client-matrix.ts'
import { describeError } from './describe-error.ts'
import { describeOutcome, exitCodeOf, totalsLine } from './outcome.ts'
import { selectTests } from './projects.ts'
import { SuiteReporter } from './reporter.ts'

/** What a run of the suite needs. */
export interface RunSuiteOptions {
  /** The folder that has `vitest.config.ts`. */
  root: string
  /** Names of projects and parts of file names; empty for everything. */
  args: readonly string[]
  /** Whether a missing peer is a failure. */
  ci: boolean
  /** Takes every line of the report; the last one is the totals, alone. */
  write: (line: string) => void
}

/** Runs the tests, reports them, and returns the exit code: 1 when anything failed or nothing ran. */
export async function runSuite(options: RunSuiteOptions): Promise<0 | 1> {
  const { projects, files } = selectTests(options.args)
  const reporter = new SuiteReporter(options)
  try {
    const vitest = await startVitest(files, {
      root: options.root,
      watch: false,
      reporters: [reporter],
      // A forgotten `.only` would quietly leave the rest of a file out.
      allowOnly: false,
      ...(projects.length > 0 ? { project: projects } : {}),
    })
    await vitest.close()
  } catch (error) {
    const detail = describeError(error instanceof Error ? error : { message: String(error) }, options.root)
    reporter.outcome.failures.push({ title: 'the run itself', detail })
  }
  for (const line of clientMatrix(reporter.clients)) options.write(line)
  const description = describeOutcome(reporter.outcome)
  if (description !== '') options.write(description)
  options.write('')
  options.write(totalsLine(reporter.outcome))
  return exitCodeOf(reporter.outcome)
}
