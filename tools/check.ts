// `npm run check`: format, lint, types, dead code and the arrows of the architecture.
import { dirname } from 'node:path'
import { checks } from './check/checks.ts'
import { describeResults, runChecks } from './check/run-checks.ts'

const results = await runChecks(checks, dirname(import.meta.dirname), 2)
console.log(describeResults(results))
process.exitCode = results.every((result) => result.passed) ? 0 : 1
