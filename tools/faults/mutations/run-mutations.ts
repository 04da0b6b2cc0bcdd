import { rm } from 'node:fs/promises'
import { Checkout } from './checkout.ts'
import type { Mutation, Seen } from './mutation.ts'
import { mutations } from './mutations.ts'
import { runHarness } from './run-harness.ts'
import { runSuite } from './run-suite.ts'

/** How mutations are looked for. */
export interface MutationOptions {
  /** Only those whose name contains this. */
  only: string | undefined
  /** Seeds that may pass before a mutation counts as not noticed. */
  seeds: number
  onResult: (line: string) => void
}

/**
 * Lets the harness, or the tests that a mutation names, work on a copy of the sources with one mutation after the other.
 * What turned red is run again without the mutation: it has to be green, or it says nothing.
 * @returns the names of those that were not noticed.
 */
export async function runMutations({ only = '', seeds, onResult }: MutationOptions): Promise<string[]> {
  await using checkout = await Checkout.make()
  const missed: string[] = []
  for (const mutation of mutations.filter(({ name }) => name.includes(only))) {
    const restore = await checkout.apply(mutation)
    const seen =
      mutation.suite === undefined
        ? await runHarness(checkout, mutation, seeds)
        : await runSuite(checkout, mutation.suite)
    await restore()
    const isSound = seen === null || (await seen.passes())
    if (seen === null || !isSound) missed.push(mutation.name)
    onResult(describe(mutation, seen, isSound))
    // What a mutation breaks on purpose is nothing to look into.
    if (typeof seen?.folder === 'string' && isSound) await rm(seen.folder, { recursive: true, force: true })
  }
  return missed
}

function describe({ name }: Mutation, seen: Seen | null, isSound: boolean): string {
  if (seen === null) return `MISSED ${name}: everything passed`
  return isSound
    ? `caught ${name}\n       ${seen.text}`
    : `UNSURE ${name}: it fails without it, too\n       ${seen.text}`
}
