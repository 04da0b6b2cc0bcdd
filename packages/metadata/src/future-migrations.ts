import { migrations, type Migration } from '../migrations/index.ts'

/*
 * Releases that do not exist, for tests of upgrades: what one of them does to a database that this one still uses.
 */

const now = migrations.at(-1)?.version ?? 0

/** The next release adds things; this one goes on working. */
const expanding: Migration = {
  version: now + 1,
  name: 'expand',
  worksFrom: now,
  statements: ({ text, integer, identity, table }) => [
    `CREATE TABLE licences (id ${identity}, name ${text} NOT NULL)${table}`,
    `ALTER TABLE manifests ADD COLUMN licence ${text}`,
    `ALTER TABLE repositories ADD COLUMN stars ${integer} NOT NULL DEFAULT 0`,
    `CREATE INDEX manifests_by_licence ON manifests (licence) WHERE licence IS NOT NULL`,
  ],
}

/** The release after it takes away what this one uses. */
const contracting: Migration = {
  version: now + 2,
  name: 'contract',
  worksFrom: now + 1,
  statements: () => [`DROP VIEW good_locations`],
}

/** The migrations that the next release knows. */
export const nextRelease: readonly Migration[] = [...migrations, expanding]

/** The migrations that the release after the next one knows. */
export const releaseAfterNext: readonly Migration[] = [...nextRelease, contracting]
