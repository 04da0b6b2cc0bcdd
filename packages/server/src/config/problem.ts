/** Where a value came from. */
export type Origin =
  | { kind: 'default' }
  /** Line and column count from 1. */
  | { kind: 'file'; file: string; line: number; column: number }
  | { kind: 'environment'; name: string }

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** Path of the key, or null when the file as a whole is meant. */
  key: string | null
  origin: Origin
  /** What was found, what was expected, and what to do. */
  message: string
}

/** Where something was found, for people: `openregistry.yaml:3:9`, or the name of a variable. */
export function printOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default'
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`
    case 'environment':
      return origin.name
  }
}

/** The configuration cannot be used. `problems` has everything that is wrong with it, not only the first. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(printProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

function printProblem({ key, origin, message }: Problem): string {
  const where = origin.kind === 'default' ? '' : `${printOrigin(origin)}: `
  return `${where}${key === null ? '' : `${key}: `}${message}`
}
