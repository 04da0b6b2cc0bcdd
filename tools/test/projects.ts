/** A group of test files that run under the same conditions. */
export interface TestProjectDefinition {
  /** The name to select it by: `npm test -- unit`. */
  name: string
  /** Patterns of its test files, from the root of the repository. */
  include: readonly string[]
  /** Patterns of files that another project has. */
  exclude: readonly string[]
  /** Whether its files may run beside each other. */
  parallel: boolean
  /** How long one test may take, in milliseconds; a bound against hanging, never a measurement. */
  testTimeout: number
  /** Variables that its tests find, where they run files of another project once more under other conditions. */
  again?: Readonly<Record<string, string>>
  /** A file that runs before each of its test files. */
  setup?: string
  /** Groups run in ascending order, so that real clients do not compete with the unit tests for the machine. */
  order: number
}

const minute = 60_000

/** Every test file of the repository is in exactly one that is not `again`; `projects.test.ts` proves it. */
export const testProjects: readonly TestProjectDefinition[] = [
  {
    name: 'unit',
    include: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['tools/faults/**'],
    parallel: true,
    testTimeout: minute / 2,
    order: 0,
  },
  {
    name: 'command',
    include: ['apps/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: minute,
    order: 0,
  },
  {
    name: 'conformance',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: minute,
    order: 1,
  },
  {
    name: 'replicas',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: 2 * minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 'replicas' },
    setup: 'e2e/conformance/require-postgres.ts',
    order: 2,
  },
  {
    name: 'http2',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: ['e2e/conformance/official.test.ts'],
    parallel: true,
    testTimeout: minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 'http2' },
    setup: 'e2e/conformance/require-openssl.ts',
    order: 2,
  },
  {
    name: 'kubo',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: 2 * minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 'kubo' },
    setup: 'e2e/conformance/require-kubo.ts',
    order: 2,
  },
  {
    name: 'stack',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: 2 * minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 'stack' },
    setup: 'e2e/conformance/require-stack.ts',
    order: 2,
  },
  {
    name: 'private-stack',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: 2 * minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 'private-stack' },
    setup: 'e2e/conformance/require-stack.ts',
    order: 2,
  },
  {
    name: 's3',
    include: ['e2e/conformance/**/*.test.ts'],
    exclude: [],
    parallel: true,
    testTimeout: 2 * minute,
    again: { OPEN_REGISTRY_CONFORMANCE_SHAPE: 's3' },
    setup: 'e2e/conformance/require-s3.ts',
    order: 2,
  },
  {
    name: 'system',
    include: ['e2e/**/*.test.ts'],
    exclude: ['e2e/conformance/**', 'e2e/clients/**', 'e2e/faults/**'],
    parallel: false,
    testTimeout: 5 * minute,
    order: 3,
  },
  {
    name: 'clients',
    include: ['e2e/clients/**/*.test.ts'],
    exclude: [],
    parallel: false,
    testTimeout: 5 * minute,
    order: 4,
  },
  {
    name: 'faults',
    include: ['e2e/faults/**/*.test.ts', 'tools/faults/**/*.test.ts'],
    exclude: [],
    parallel: false,
    testTimeout: 10 * minute,
    order: 5,
  },
]

/** What `npm run e2e` runs: real clients and the conformance suites, against the whole registry. */
const e2eProjects = [
  'conformance',
  'replicas',
  'http2',
  'kubo',
  'stack',
  'private-stack',
  's3',
  'system',
  'clients',
]

/**
 * Splits the arguments of the runner: names of projects (or `e2e` for {@link e2eProjects}) choose projects, anything
 * else chooses files by a part of their path. No name means all projects.
 */
export function selectTests(args: readonly string[]): { projects: string[]; files: string[] } {
  const projects: string[] = []
  const files: string[] = []
  for (const arg of args) {
    if (arg === 'e2e') projects.push(...e2eProjects)
    else if (testProjects.some((project) => project.name === arg)) projects.push(arg)
    else files.push(arg)
  }
  return { projects: [...new Set(projects)], files }
}
