import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bare } from '../peers/bare.ts'
import { findPeers, type FoundPeer } from '../peers/index.ts'
import { fullSizes, type Sizes } from '../sizes.ts'
import { runSuite, type Plan } from '../turns.ts'
import { cidCosts, repositoryCids } from './cids.ts'
import { rowIds, suites } from './index.ts'
import { ipfsGateway } from './ipfs.ts'
import { layerPulls } from './pulls.ts'

/** So little that it only shows whether every row still does its work. */
const tinySizes: Sizes = {
  ...fullSizes,
  seconds: 0.05,
  warmUpSeconds: 0,
  connections: 2,
  tags: 5,
  repositories: 3,
  page: 2,
  layer: 100_000,
  patches: { count: 2, size: 1000 },
  parallel: { count: 2, size: 1000 },
  images: { count: 3, layers: 2, layerSize: 100, repositories: 2, connections: 2, limitSeconds: 5 },
  mixed: { operations: 8, size: 1000, connections: 2 },
  referrers: 3,
  ipfsBlocks: 3,
  large: { repositories: 3, blobsOfEach: 2, tags: 5, referrers: 3 },
  idleSeconds: 0,
}

const quiet = { settle: () => Promise.resolve(), say: () => {} }

function planOf(found: FoundPeer[], folder: string): Plan {
  return { found, sizes: tinySizes, repeat: 1, folder, wrk: false, ...quiet }
}

describe('every row runs', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openregistry-bench-test-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  test(
    'against a server that stores nothing, and gives a number for every metric',
    { timeout: 180_000 },
    async () => {
      const found = [{ peer: bare, program: process.execPath, version: process.version }]
      const plan = planOf(found, folder)
      for (const suite of suites) {
        const results = await runSuite(suite, new Set(rowIds), plan)
        for (const row of suite.rows) {
          if (bare.lacks.includes(row.needs ?? 'registry')) continue
          const result = results.find(
            (candidate) => candidate.row === row.id && candidate.label === bare.label,
          )
          expect(result?.failure, row.id).toBeNull()
          const values = row.metrics.map((metric) => result?.samples.map((sample) => metric.value(sample)))
          expect(values.flat(), row.id).toHaveLength(row.metrics.length)
          expect(values.flat().every(Number.isFinite), row.id).toBe(true)
        }
      }
    },
  )

  test(
    'for CIDs, against ours and Kubo, which has the same blocks',
    { timeout: 180_000 },
    async (context) => {
      const found = await findPeers(['openregistry', 'kubo'], () => {})
      if (found.length < 2) context.skip('missing peer: kubo (tools/peers/install.sh kubo)')
      // Enough for a node above the leaves.
      const plan = { ...planOf(found, folder), sizes: { ...tinySizes, layer: 2_500_000 } }
      for (const suite of [ipfsGateway, repositoryCids, cidCosts]) {
        const results = await runSuite(suite, new Set(rowIds), plan)
        expect(results.filter(({ failure }) => failure !== null)).toEqual([])
        // Of both, or ours and a reference.
        const turns = suite === repositoryCids ? 1 : 2
        expect(results.flatMap(({ samples }) => samples)).toHaveLength(turns * suite.rows.length)
      }
    },
  )

  test('through S3 and Kubo', { timeout: 180_000 }, async (context) => {
    const found = await findPeers(['openregistry-s3', 'openregistry-kubo'], () => {})
    if (found.length < 2) context.skip('missing peer: kubo or versitygw (tools/peers/install.sh)')
    const results = await runSuite(layerPulls, new Set(['pull']), planOf(found, folder))
    expect(results.map(({ label, failure }) => [label, failure])).toEqual(
      found.map(({ peer }) => [peer.label, null]),
    )
  })

  test('and those that can take no turn are not started', async () => {
    const found = [{ peer: bare, program: '/nowhere', version: '0' }]
    expect(await runSuite(ipfsGateway, new Set(rowIds), planOf(found, folder))).toEqual([])
  })
})
