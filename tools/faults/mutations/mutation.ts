import type { Shape } from '../under-test/deployment.ts'

/** A piece of a source, which occurs exactly once in it, and what takes its place. */
export type Edit = readonly [file: string, find: string, replace: string]

/** Tests of the repository. */
export interface Suite {
  file: string
  /** What their names contain: a pattern, as `vitest -t` takes it. */
  tests: string
}

/** A small patch that takes one promise away; the harness must notice, or the tests that are named. */
export interface Mutation {
  name: string
  /** What nobody would keep any more. */
  loses: string
  edits: readonly Edit[]
  /** The one fault that it takes, where others seldom show it. */
  fault?: string
  /** The shape that it shows in; embedded unless said otherwise. */
  shape?: Shape
  /** Whether it shows where leases and times of grace are short. */
  short?: boolean
  /** Who must notice it in place of the harness, which meets the moment too seldom. */
  suite?: Suite
}

/** Where a mutation showed. */
export interface Seen {
  /** What was run, and what it said. */
  text: string
  /** Runs the same once more. @returns whether it passes. */
  passes(): Promise<boolean>
  /** What it left behind, to be taken away. */
  folder: string | null
}
