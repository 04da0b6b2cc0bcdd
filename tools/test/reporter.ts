import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'
import { clientOf, type ClientResult } from './client-matrix.ts'
import { describeError, shortPath, type ReportedError } from './describe-error.ts'
import { addSkip, type Outcome } from './outcome.ts'

/** Options of a {@link SuiteReporter}. */
export interface SuiteReporterOptions {
  /** Root of the repository; paths are printed from here. */
  root: string
  /** Whether a missing peer is a failure. */
  ci: boolean
  /** Where progress goes, one line for each test file. */
  write: (line: string) => void
}

/** Collects an {@link Outcome} from a run of vitest and prints a line for each file as it ends. */
export class SuiteReporter implements Reporter {
  readonly outcome: Outcome = { passed: 0, failures: [], skipped: new Map() }
  /** Tests of the project `clients` whose titles name a client. */
  readonly clients: ClientResult[] = []
  readonly #options: SuiteReporterOptions

  constructor(options: SuiteReporterOptions) {
    this.#options = options
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()]
    const failed = tests.filter((test) => test.result().state === 'failed').length
    const skipped = tests.filter((test) => test.result().state === 'skipped').length
    const notes = [`${tests.length} tests`]
    if (failed > 0) notes.push(`${failed} failed`)
    if (skipped > 0) notes.push(`${skipped} skipped`)
    const seconds = (module.diagnostic().duration / 1000).toFixed(1)
    this.#options.write(
      `${module.ok() ? 'ok  ' : 'FAIL'}  ${module.project.name}  ${this.#pathOf(module)}  ${notes.join(', ')}  ${seconds} s`,
    )
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly ReportedError[]): void {
    for (const module of modules) this.#collectModule(module)
    for (const error of unhandledErrors) this.#fail('an unhandled error', [error])
  }

  #collectModule(module: TestModule): void {
    this.#collectSetUp(module, this.#pathOf(module))
    for (const suite of module.children.allSuites()) this.#collectSetUp(suite, this.#titleOf(suite))
    for (const test of module.children.allTests()) this.#collectTest(test)
    // Neither a test nor an error: the process ended before the file was read, or the file has no test.
    if (module.children.size === 0 && module.errors().length === 0) this.#fail(this.#pathOf(module), [])
  }

  /** A file that does not load, or a hook before or after a group of tests that throws. */
  #collectSetUp(suite: TestModule | TestSuite, title: string): void {
    const errors = suite.errors()
    if (errors.length > 0) this.#fail(`${title} (outside of its tests)`, errors)
  }

  #collectTest(test: TestCase): void {
    const result = test.result()
    const title = this.#titleOf(test)
    const client = test.project.name === 'clients' ? clientOf(test.fullName) : null
    if (client !== null && result.state !== 'pending') this.clients.push({ ...client, state: result.state })
    if (result.state === 'passed') this.outcome.passed++
    else if (result.state === 'failed') this.#fail(title, result.errors, printedBy(test))
    else if (result.state === 'pending') this.#fail(title, [{ message: 'The test did not end.' }])
    else if (isBelowFailure(test)) this.#fail(title, [{ message: 'Not run: its set-up failed.' }])
    else addSkip(this.outcome, { title, reason: result.note ?? reasonOf(test) }, this.#options)
  }

  #fail(title: string, errors: readonly ReportedError[], printed = ''): void {
    const texts = errors.map((error) => describeError(error, this.#options.root))
    if (texts.length === 0) texts.push('Nothing in it ran.')
    if (printed !== '') texts.push(`Printed by the test:\n${printed}`)
    this.outcome.failures.push({ title, detail: texts.join('\n') })
  }

  #pathOf(module: TestModule): string {
    return shortPath(module.moduleId, this.#options.root)
  }

  #titleOf(task: TestCase | TestSuite): string {
    return `${this.#pathOf(task.module)} > ${task.fullName}`
  }
}

/** What a test wrote to its output. */
function printedBy(test: TestCase): string {
  return test
    .logs()
    .map((log) => log.content)
    .join('')
}

/** Whether a group around the test failed to set up, so that it was never started. */
function isBelowFailure(test: TestCase): boolean {
  if (test.options.mode !== 'run') return false
  for (let parent = test.parent; ; parent = parent.parent) {
    if (parent.errors().length > 0) return true
    if (parent.type === 'module') return false
  }
}

/** Why a test without a note was skipped. */
function reasonOf(test: TestCase): string {
  return test.options.mode === 'todo' ? 'to do' : 'no reason given; say one with context.skip(reason)'
}
