/** What became of the objects that a database names. */
export interface CopiedObjects {
  linked: number
  copied: number
  /** Of both together, in bytes. */
  size: number
  /** What the database names, and neither of two looks found. */
  missing: readonly string[]
}

/** The parts that a copy is made from. */
export interface CopySteps<Key extends string> {
  /** Copies the database as it is now, over the copy before. */
  takeDatabase(): Promise<void>
  /** Every object that the copy of the database names. */
  namedObjects(): Iterable<{ key: Key; size: number }>
  /** Brings one object over; `there` when an earlier look did. */
  copyObject(key: Key): Promise<'linked' | 'copied' | 'there' | 'missing'>
}

/** How often the database is taken again because a live server has deleted something meanwhile. */
const attempts = 10

/**
 * Copies a database and the objects that it names, while both change.
 *
 * The database comes first. An object is durable before a row names it, so whatever the copy names was there; it can only
 * be gone because it has been deleted since, after its row. Then the database is taken again (the new copy does not name
 * the object any more) and what is new is added, until nothing is missing, or the same is missing twice.
 */
export async function copyUntilWhole<Key extends string>(steps: CopySteps<Key>): Promise<CopiedObjects> {
  const tally = { linked: 0, copied: 0, size: 0, missing: [] as Key[] }
  for (let attempt = 0; attempt < attempts; attempt++) {
    await steps.takeDatabase()
    const before = new Set(tally.missing)
    tally.missing = []
    for (const { key, size } of steps.namedObjects()) {
      const outcome = await steps.copyObject(key)
      if (outcome === 'missing') tally.missing.push(key)
      else if (outcome !== 'there') {
        tally[outcome]++
        tally.size += size
      }
    }
    if (tally.missing.every((key) => before.has(key))) break
  }
  return tally
}
