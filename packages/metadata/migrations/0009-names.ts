import type { Migration } from './index.ts'

/** What the name of a repository in IPNS leads to. */
export const names: Migration = {
  version: 9,
  name: 'names',
  // Older programs store directories without touching these columns: the name goes on leading where it did, and follows when
  // it is renewed, within a day.
  worksFrom: 5,
  statements: ({ bytes, integer }) => [
    // The key that is the name, and the root that it leads to, under a number and for a time that were given to this root.
    // `root` is what is stored, which may be newer for as long as an older program serves.
    `ALTER TABLE directories ADD COLUMN public_key ${bytes}`,
    `ALTER TABLE directories ADD COLUMN named_root ${bytes}`,
    `ALTER TABLE directories ADD COLUMN sequence ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE directories ADD COLUMN valid_until ${integer} NOT NULL DEFAULT 0`,
    `CREATE UNIQUE INDEX directories_by_key ON directories (public_key)`,
    // The queue of what is to be renewed; what has no name yet is its beginning.
    `CREATE INDEX directories_by_validity ON directories (valid_until)`,
  ],
}
