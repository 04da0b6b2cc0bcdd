import type { Ports } from '@openregistry/core'

/** A moment after everything that the database has seen so far. */
export async function later({ metadata }: Pick<Ports, 'metadata'>): Promise<number> {
  const now = await metadata.databaseTime()
  for (;;) {
    const time = await metadata.databaseTime()
    if (time > now) return time
  }
}
