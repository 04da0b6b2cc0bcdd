import { afterAll, beforeAll, describe, test } from 'vitest'
import { PostgresCluster, type ClusterOptions } from './cluster.ts'
import { findPostgres, requirePostgres } from './find-postgres.ts'

/** Tests that are given a running cluster. */
type TestsOfCluster = (cluster: () => PostgresCluster) => void

/**
 * A group of tests that share one temporary cluster. Where PostgreSQL is not installed, one test stands for all of them
 * and is skipped with the reason.
 */
export function describeWithPostgres(name: string, body: TestsOfCluster, options: ClusterOptions = {}): void {
  const register = findPostgres() === null ? registerStandIn : registerTests
  describe(`${name}`, () => {
    register(body, options)
  })
}

function registerStandIn(): void {
  test('needs PostgreSQL', (context) => requirePostgres(context))
}

function registerTests(body: TestsOfCluster, options: ClusterOptions): void {
  let started: PostgresCluster | null = null
  beforeAll(async () => {
    started = await PostgresCluster.start(options)
  })
  afterAll(() => started?.[Symbol.asyncDispose]())
  body(() => {
    if (started === null) throw new Error('The cluster is not started yet.')
    return started
  })
}
