/** What a statement takes. */
export type SqlValue = string | number | boolean | null | Uint8Array

/** One statement with its values, in the words of the engine that runs it. */
export interface Query {
  /** The same string every time for one place in the source, so that it is prepared once. */
  readonly text: string
  /** For the placeholders, in order. */
  readonly values: readonly unknown[]
  /** How it is done best depends on its values: on the length of a list. */
  readonly varies?: boolean
}

/** A row as the engine gives it. */
export type Row = Readonly<Record<string, unknown>>

/**
 * One atomic step (or one read), written once for every engine: it yields a query, or several whose rows nobody needs,
 * and is sent the rows. SQLite runs it to its end on the writer's thread; an engine across a network awaits between.
 * Whoever runs it opens the transaction before and commits after it; whatever it throws undoes all of it.
 */
export type Step<T> = Generator<Query | readonly Query[], T, readonly Row[]>

/**
 * Thrown by a step that read rows without a lock, locked others, and then found the first changed: to lock again now would
 * be out of order. The engine undoes the step and runs it anew. With one writer this does not happen.
 */
export class TryAgain extends Error {
  constructor() {
    super('What the step read was changed at the same moment.')
  }
}

/** Queries that are handed over at once; bounds the memory that they take. */
const batchSize = 512

/** Runs a query for all of its rows. */
export function* all<T>(query: Query): Step<readonly T[]> {
  return (yield query) as readonly T[]
}

/** Runs a query for its only row, or null. */
export function* first<T>(query: Query): Step<T | null> {
  return ((yield query)[0] as T | undefined) ?? null
}

/** Runs a query whose rows say only whether it did something (`RETURNING 1`). */
export function* hit(query: Query): Step<boolean> {
  return (yield query).length > 0
}

/** Runs a query for what it does. */
export function* run(query: Query): Step<void> {
  yield query
}

/** Runs many queries for what they do. */
export function* runEach(queries: Iterable<Query>): Step<void> {
  let batch: Query[] = []
  for (const query of queries) {
    batch.push(query)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
