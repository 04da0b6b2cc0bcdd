/** One of the checks of `npm run check`: a program that says yes with exit code 0. */
export interface Check {
  name: string
  /** A command of `node_modules/.bin`, or `node`. */
  command: string
  args: readonly string[]
  /** What puts most of its complaints right. */
  remedy: string
}

/** The longest first, so that the machine is busy until the end. */
export const checks: readonly Check[] = [
  {
    name: 'format',
    command: 'prettier',
    args: ['--check', '--log-level', 'warn', '.'],
    remedy: 'npm run format',
  },
  {
    name: 'lint',
    command: 'oxlint',
    args: ['--type-aware', '--deny-warnings'],
    remedy: 'see .oxlintrc.json',
  },
  {
    name: 'types',
    command: 'tsc',
    args: ['--project', '.', '--pretty', 'false'],
    remedy: 'see tsconfig.json',
  },
  { name: 'dead code', command: 'knip', args: ['--no-progress'], remedy: 'delete it, or drop `export`' },
  {
    name: 'arrows',
    command: 'node',
    args: ['tools/check-deps.ts'],
    remedy: 'see tools/check-deps/drawing.ts',
  },
]
