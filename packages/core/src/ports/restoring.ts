import type { Milliseconds, RepositoryFacts } from './metadata-store.ts'

/** A restore that has begun and not ended. */
export interface UnfinishedRestore {
  /** CID of what it is from. */
  snapshot: string
  begunAt: Milliseconds
}

/** Steps of rebuilding a registry from a snapshot. A group of `MetadataStore`. */
export interface RestoreSteps {
  /**
   * Begins to rebuild the registry from a snapshot, or goes on with it.
   * @param snapshot its CID.
   * @returns `occupied` when the database has anything in it that is not from this snapshot, or another one was begun.
   */
  beginRestore(snapshot: string): Promise<'begun' | 'resumed' | 'occupied'>

  /** Notes that all of it is there: from now on the database is a registry like every other. */
  endRestore(snapshot: string): Promise<void>

  /** The restore that has not ended. Until it has, nobody serves from the database. */
  findUnfinishedRestore(): Promise<UnfinishedRestore | null>

  /**
   * Creates a repository under the id that it had.
   * @returns false when another one has its name, or its id was used before.
   */
  createRepository(repository: RepositoryFacts): Promise<boolean>
}
