import { firstTables } from './0001-first-tables.ts'
import { tagHistoryIndexes } from './0002-tag-history-indexes.ts'
import { jobLeases } from './0003-job-leases.ts'
import { collection } from './0004-collection.ts'
import { scrub } from './0005-scrub.ts'
import { backendIdentities } from './0006-backend-identities.ts'
import { publicContent } from './0007-public-content.ts'
import { layoutPins } from './0008-layout-pins.ts'
import { names } from './0009-names.ts'
import { unmeasuredRepositories } from './0010-unmeasured-repositories.ts'
import { restores } from './0011-restores.ts'
import { placement } from './0012-placement.ts'
import { layoutPinOwners } from './0013-layout-pin-owners.ts'
import { announcements } from './0014-announcements.ts'

/** How an engine spells the types of the schema. */
export interface SchemaWords {
  /** Text that is compared bytewise. */
  text: string
  bytes: string
  /** 64 bits; sizes, and times in milliseconds since 1970. */
  integer: string
  boolean: string
  /** A number that the database gives to a new row. */
  identity: string
  /** The same, and never given again, even after the newest row was deleted. */
  identityOnce: string
  /** Ends a table whose rows are found by a number. */
  table: string
  /** Ends a table of small rows that is its own primary index, where the engine knows such. */
  indexTable: string
  /** Makes plans independent of what the engine measured of a column, where it measures. */
  unmeasured(table: string, column: string): readonly string[]
}

/** A change of the schema. Once released it is never edited: the next change is a new one. */
export interface Migration {
  /** 1, 2, 3, … */
  version: number
  name: string
  /**
   * The oldest program that can go on working after this change, by the newest schema that it knows. A change that only
   * adds (a table, an index, a column that may stay empty or has a default) names the version before itself or an older
   * one: then replicas of the release before keep running, and may restart, while those of the next one are started.
   * Left out: programs must know this change. What is taken away is taken away one release after nobody uses it.
   */
  worksFrom?: number
  statements(words: SchemaWords): readonly string[]
}

/** All of them, in order. */
export const migrations: readonly Migration[] = [
  firstTables,
  tagHistoryIndexes,
  jobLeases,
  collection,
  scrub,
  backendIdentities,
  publicContent,
  layoutPins,
  names,
  unmeasuredRepositories,
  restores,
  placement,
  layoutPinOwners,
  announcements,
]
