import { expect, test } from 'vitest'
import { killRun } from '../../tools/faults/kill-run.ts'

test('what was acknowledged survives kills at random moments', async () => {
  const seed = Math.floor(Math.random() * 1e9)
  const result = await killRun({ seed, kills: 8, clients: 4, acknowledged: 60 })
  expect(result.losses, `again: npm run faults -- --seed ${seed} --kills 8 --clients 4`).toEqual([])
  expect(result.kills).toBeGreaterThanOrEqual(8)
})
