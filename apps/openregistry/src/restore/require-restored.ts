import type { MetadataStore, UnfinishedRestore } from '@openregistry/core'
import { CommandError } from '../exit-codes.ts'

/**
 * Keeps everybody off a registry that is half restored: what was not brought back yet would be answered as not here, a push
 * could take the name of a repository that is still to come, and a snapshot of it would have less than the one that it is from.
 * @throws CommandError whose message says what to do.
 */
export async function requireRestored(metadata: Pick<MetadataStore, 'findUnfinishedRestore'>): Promise<void> {
  const restore = await metadata.findUnfinishedRestore()
  if (restore !== null) throw new CommandError(`${describeRestore(restore)}. ${restoreAdvice(restore)}`)
}

/** What has begun. */
export function describeRestore({ snapshot, begunAt }: UnfinishedRestore): string {
  return `the restore of the snapshot ${snapshot}, which began at ${new Date(begunAt).toISOString()}, has not come to its end`
}

/** The ways to end it. */
export function restoreAdvice({ snapshot }: UnfinishedRestore): string {
  return (
    `Run it again, it goes on where it was: openregistry restore <the same files, or ${snapshot}>. ` +
    'If that cannot be, keep what it has brought back and nothing else: openregistry restore --give-up.'
  )
}
