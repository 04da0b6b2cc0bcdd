// `npm test` and `npm run e2e`: see `selectTests` for the arguments.
import { dirname } from 'node:path'
import { runSuite } from './run-suite.ts'

const exitCode = await runSuite({
  root: dirname(dirname(import.meta.dirname)),
  args: process.argv.slice(2),
  ci: process.env['CI'] === 'true',
  write: (line) => process.stdout.write(`${line}\n`),
})
// Written out before the end: a pipe takes the report in pieces.
process.stdout.write('', () => process.exit(exitCode))
