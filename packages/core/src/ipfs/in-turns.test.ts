import { expect, test } from 'vitest'
import { inTurns } from './in-turns.ts'

test('others have their turn between steps, and the result comes in the end', async () => {
  let turns = 0
  let over = false
  const count = (): void => {
    turns++
    if (!over) setTimeout(count)
  }
  count()
  function* steps(): Generator<void, string, void> {
    // Each step is as long as a turn.
    for (let step = 0; step < 10; step++) {
      for (const end = performance.now() + 6; performance.now() < end;);
      yield
    }
    return 'done'
  }
  expect(await inTurns(steps())).toBe('done')
  over = true
  expect(turns).toBeGreaterThanOrEqual(10)
})
