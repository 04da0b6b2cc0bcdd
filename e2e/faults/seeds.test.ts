import { expect, test } from 'vitest'
import { describeWithPostgres, type PostgresCluster } from '@openregistry/testkit'
import { allFaults, fullDisks, kills } from '../../tools/faults/faults/index.ts'
import { runSeed, type SeedOptions } from '../../tools/faults/seed-run.ts'
import { canMount } from '../../tools/faults/under-test/volume.ts'

const seed = Math.floor(Math.random() * 1e9)

async function expectAllThere(options: Pick<SeedOptions, 'shape' | 'cluster' | 'faults'>): Promise<void> {
  const least = { faults: 4, acknowledged: 60 }
  const result = await runSeed({ ...options, seed, least, clients: 5, operations: 10 })
  expect(result.violations, `again: npm run faults -- --seed ${seed} --shape ${options.shape}`).toEqual([])
  expect(result.counts.acknowledged).toBeGreaterThanOrEqual(least.acknowledged)
  expect(result.counts.faults).toBeGreaterThanOrEqual(least.faults)
}

test(`whatever goes wrong, what was acknowledged is there (seed ${seed})`, () =>
  expectAllThere({ shape: 'embedded', cluster: null, faults: allFaults }))

test('kills lose nothing', () => expectAllThere({ shape: 'embedded', cluster: null, faults: kills }))

test('full disks lose nothing', async (context) => {
  if (!(await canMount())) context.skip('needs a user who may mount file systems')
  await expectAllThere({ shape: 'embedded', cluster: null, faults: fullDisks })
})

describeWithPostgres('on PostgreSQL', (cluster: () => PostgresCluster) => {
  test.each(['replicas', 'supervisor'] as const)(
    `whatever goes wrong with %s, what was acknowledged is there (seed ${seed})`,
    (shape) => expectAllThere({ shape, cluster: cluster(), faults: allFaults }),
  )
})
