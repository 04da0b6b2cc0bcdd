import { expect, test } from 'vitest'
import { allFaults, kills } from '../../tools/faults/faults/index.ts'
import { runSeed, type SeedOptions } from '../../tools/faults/seed-run.ts'

const randomSeed = Math.floor(Math.random() * 1e9)

async function expectAllThere(
  options: Pick<SeedOptions, 'seed' | 'shape' | 'faults' | 'least'>,
): Promise<void> {
  const { violations, counts } = await runSeed({ ...options, clients: 5, operations: 10 })
  expect(violations, `again: npm run faults -- --seed ${options.seed} --shape ${options.shape}`).toEqual([])
  expect(counts.acknowledged).toBeGreaterThanOrEqual(options.least.acknowledged)
  expect(counts.faults).toBeGreaterThanOrEqual(options.least.faults)
}

test.each([1, randomSeed])('whatever goes wrong, what was acknowledged is there (seed %i)', (seed) =>
  expectAllThere({ seed, shape: 'embedded', faults: allFaults, least: { faults: 5, acknowledged: 100 } }),
)

test('kills lose nothing', () =>
  expectAllThere({
    seed: randomSeed,
    shape: 'embedded',
    faults: kills,
    least: { faults: 6, acknowledged: 60 },
  }))
