import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CollectionRun } from './run.ts'
import type { ClockedRegistry } from './opened-registry.ts'
import { attachments, sequences } from './steps.ts'
import { times } from './world.ts'

export type { ClockedRegistry, TableContents } from './opened-registry.ts'

/**
 * Random pushes, mounts, deletions and collections against a model of what was promised: everything acknowledged and
 * needed is there, byte for byte, and nothing else stays for ever. A failure names its seed; `fc.assert` replays it.
 * @param open a registry that holds nothing, with a clock that is moved by hand.
 */
export function collectionModelTests(
  open: () => ClockedRegistry,
  { runs = 60, seed }: { runs?: number; seed?: number } = {},
): void {
  test('random steps lose nothing that was promised, and keep nothing else', async () => {
    let steps = 0
    await fc.assert(
      fc.asyncProperty(sequences, async (actions) => {
        const registry = open()
        try {
          const run = new CollectionRun(registry)
          for (const action of actions) await run.take(action)
          await run.finish()
          steps += actions.length
        } finally {
          registry.close()
        }
      }),
      { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
    )
    expect(steps).toBeGreaterThan(0)
  })

  test('a preview says what a collection takes, whatever was done before', async () => {
    await fc.assert(
      fc.asyncProperty(
        sequences,
        attachments,
        fc.constantFrom(0, times.grace),
        async (before, last, grace) => {
          const registry = open()
          try {
            const run = new CollectionRun(registry)
            for (const action of [...before, ...last]) await run.take(action)
            await run.expectPreview(grace)
          } finally {
            registry.close()
          }
        },
      ),
      { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
    )
  })
}
