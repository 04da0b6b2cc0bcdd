import { expect, test } from 'vitest'
import { describeWithPostgres, type PostgresCluster } from '@openregistry/testkit'
import { allFaults, kills, type Fault } from '../../tools/faults/faults/index.ts'
import { runSeed } from '../../tools/faults/seed-run.ts'

const randomSeed = Math.floor(Math.random() * 1e9)
const most = { faults: 5, acknowledged: 100 }

async function expectAllThere(
  seed: number,
  cluster: PostgresCluster | null,
  faults: readonly Fault[] = allFaults,
  least = most,
): Promise<void> {
  const shape = cluster === null ? 'embedded' : 'replicas'
  const result = await runSeed({ seed, shape, cluster, faults, least, clients: 5, operations: 10 })
  expect(result.violations, `again: npm run faults -- --seed ${seed} --shape ${shape}`).toEqual([])
  expect(result.counts.acknowledged).toBeGreaterThanOrEqual(least.acknowledged)
  expect(result.counts.faults).toBeGreaterThanOrEqual(least.faults)
}

test.each([1, randomSeed])('whatever goes wrong, what was acknowledged is there (seed %i)', (seed) =>
  expectAllThere(seed, null),
)

test('kills lose nothing', () => expectAllThere(randomSeed, null, kills, { faults: 6, acknowledged: 60 }))

describeWithPostgres('three replicas on one PostgreSQL', (cluster) => {
  test.each([1, randomSeed])('whatever goes wrong, what was acknowledged is there (seed %i)', (seed) =>
    expectAllThere(seed, cluster()),
  )
})
