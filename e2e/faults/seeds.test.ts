import { expect, test } from 'vitest'
import {
  canMount,
  describeWithPostgres,
  requireIpfsPeer,
  requireVersitygw,
  type PostgresCluster,
} from '@openregistry/testkit'
import { allFaults, fullDisks, kills, longFaults } from '../../tools/faults/faults/index.ts'
import { runSeed, type SeedOptions } from '../../tools/faults/seed-run.ts'

const seed = Math.floor(Math.random() * 1e9)

async function expectAllThere(
  options: Pick<SeedOptions, 'shape' | 'cluster' | 'faults' | 'faultsPerRound'>,
  least = { faults: 4, acknowledged: 60 },
): Promise<void> {
  const result = await runSeed({ ...options, seed, least, clients: 5, operations: 10 })
  expect(result.violations, `again: npm run faults -- --seed ${seed} --shape ${options.shape}`).toEqual([])
  expect(result.counts.acknowledged).toBeGreaterThanOrEqual(least.acknowledged)
  expect(result.counts.faults).toBeGreaterThanOrEqual(least.faults)
}

test(`whatever goes wrong, what was acknowledged is there (seed ${seed})`, () =>
  expectAllThere({ shape: 'embedded', cluster: null, faults: allFaults }))

test('kills lose nothing', () => expectAllThere({ shape: 'embedded', cluster: null, faults: kills }))

test('whatever goes wrong with blobs in a bucket, what was acknowledged is there', async (context) => {
  requireVersitygw(context)
  await expectAllThere({ shape: 's3', cluster: null, faults: allFaults })
})

test('whatever goes wrong with blobs in a Kubo node, what was acknowledged is there', async (context) => {
  requireIpfsPeer(context, 'kubo')
  await expectAllThere({ shape: 'kubo', cluster: null, faults: allFaults })
})

test('full disks lose nothing', async (context) => {
  if (!(await canMount())) context.skip(noMounts)
  await expectAllThere({ shape: 'embedded', cluster: null, faults: fullDisks })
})

const noMounts = 'needs a user who may mount file systems'
const ownDisk = { ownDisk: true }

describeWithPostgres(
  'on PostgreSQL',
  (cluster: () => PostgresCluster) => {
    test.each(['replicas', 'supervisor'] as const)(
      `whatever goes wrong with %s, what was acknowledged is there (seed ${seed})`,
      (shape) => expectAllThere({ shape, cluster: cluster(), faults: allFaults }),
    )

    test('whatever goes wrong with replicas that share a Kubo node, what was acknowledged is there', async (context) => {
      requireIpfsPeer(context, 'kubo')
      await expectAllThere({ shape: 'stack', cluster: cluster(), faults: allFaults })
    })

    test('full disks lose nothing', async (context) => {
      if (cluster().disk?.isOwn !== true) context.skip(noMounts)
      await expectAllThere({ shape: 'replicas', cluster: cluster(), faults: fullDisks })
    })

    test('half a minute without a database loses nothing', async (context) => {
      if (process.env['CI'] !== 'true') context.skip('takes a minute; CI runs it (CI=true)')
      const once = { faults: 1, acknowledged: 20 }
      await expectAllThere(
        { shape: 'supervisor', cluster: cluster(), faults: longFaults, faultsPerRound: 1 },
        once,
      )
    })
  },
  ownDisk,
)
