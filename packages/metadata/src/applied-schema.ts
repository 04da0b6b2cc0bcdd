import { RegistryError } from '@openregistry/oci'
import { migrations, type Migration } from '../migrations/index.ts'

/** The newest schema that this program knows. */
export const schemaVersion: number = newestOf(migrations)

/** The version that a list of migrations ends with. */
export function newestOf(list: readonly Migration[]): number {
  return list.at(-1)?.version ?? 0
}

/** A row of `schema_migrations`, as far as it was written: the oldest programs did not note `works_from`. */
export interface AppliedMigration {
  version: number
  name: string
  works_from?: number | null
}

/** Noted as a migration in the target of a copy until it is complete: every program refuses the database for it. */
export const unfinishedCopy = { version: 2_000_000_000, name: 'unfinished-copy' } as const

/**
 * Noted as a migration in a database that was copied elsewhere for good, with the place as its name: every program refuses
 * it for that, those of releases before this one too.
 */
export const movedAway = { version: 2_000_000_001 } as const

/** What is noted about a migration: the oldest program, by the schema it knows, that can work after it. */
export function worksFromOf({ version, worksFrom }: Migration): number {
  return worksFrom ?? version
}

/**
 * The version of a database whose migrations these are; 0 for none. A newer one than the program knows is accepted when
 * every change since then leaves this program's steps working, so that replicas can be replaced one after another.
 * @param place names the database in messages.
 * @throws RegistryError `METADATA_UNAVAILABLE` when it is newer and not accepted.
 */
export function acceptedVersion(
  applied: readonly AppliedMigration[],
  place: string,
  known: number = schemaVersion,
): number {
  const found = applied.reduce((newest, { version }) => Math.max(newest, version), 0)
  const refusing = applied.find(
    ({ version, works_from: from }) => version > known && (from ?? version) > known,
  )
  if (refusing === undefined) return found
  if (found === unfinishedCopy.version) {
    throw new RegistryError(
      'METADATA_UNAVAILABLE',
      `${place} is the target of a copy that is not complete. Run "openregistry migrate --to" again: it goes on where it stopped.`,
    )
  }
  const moved = applied.find(({ version }) => version === movedAway.version)
  if (moved !== undefined) {
    throw new RegistryError(
      'METADATA_UNAVAILABLE',
      `${place} was moved to ${moved.name}. That has the registry now, and the blobs belong to it; nothing was changed here. ` +
        'Say where it is (db.host or OPEN_REGISTRY_DB_HOST, and what stands beside it). ' +
        'To go back to this file for good, and lose what was pushed since: "openregistry migrate --undo-move".',
    )
  }
  throw new RegistryError(
    'METADATA_UNAVAILABLE',
    `${place} has schema ${found}, this program knows schemas up to ${known}. Nothing was changed. ` +
      'Run a version of OpenRegistry that is at least as new as the one that used it last.',
  )
}

/**
 * Makes sure that an accepted version has everything that this program needs.
 * @throws RegistryError `METADATA_UNAVAILABLE` when it is older.
 */
export function requireVersion(found: number, place: string): void {
  if (found >= schemaVersion) return
  throw new RegistryError(
    'METADATA_UNAVAILABLE',
    `${place} has schema ${found}, this program needs schema ${schemaVersion}. ` +
      'Run "openregistry migrate", or set db.auto_migrate.',
    { detail: { part: 'schema' } },
  )
}
