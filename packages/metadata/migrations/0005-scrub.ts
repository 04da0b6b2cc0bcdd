import type { Migration, SchemaWords } from './index.ts'

/** Reading stored bytes again: in which order, by whom, and what backends hold besides. */
export const scrub: Migration = {
  version: 5,
  name: 'scrub',
  // Older programs leave claims alone; at worst bytes are verified once more.
  worksFrom: 4,
  statements: ({ text, integer, identity, table, indexTable }: SchemaWords) => [
    // Who reads these bytes again, and until when nobody else does.
    `ALTER TABLE blob_locations ADD COLUMN claim ${text}`,
    `ALTER TABLE blob_locations ADD COLUMN claimed_until ${integer}`,
    // The order in which scrub works; where it goes on after a stop.
    `CREATE INDEX blob_locations_by_verified ON blob_locations (verified_at, id)`,
    // What people have to be told about. There are few.
    `CREATE INDEX blob_locations_damaged ON blob_locations (id) WHERE state <> 'good'`,
    // Passes over everything. A pass is over for each location that was verified after its start.
    `CREATE TABLE scrub_passes (
      id ${identity},
      started_at ${integer} NOT NULL,
      ended_at ${integer}
    )${table}`,
    // A backend's list is looked at in 256 parts, by the first two digits of the keys.
    `CREATE TABLE scrub_listings (
      backend ${text} NOT NULL,
      prefix ${text} NOT NULL,
      listed_at ${integer} NOT NULL,
      claim ${text},
      claimed_until ${integer},
      PRIMARY KEY (backend, prefix)
    )${indexTable}`,
    `CREATE INDEX scrub_listings_by_time ON scrub_listings (backend, listed_at, prefix)`,
    // Objects that no row names, until they are deleted or turn out to be gone.
    `CREATE TABLE surplus_objects (
      backend ${text} NOT NULL,
      key ${text} NOT NULL,
      found_at ${integer} NOT NULL,
      seen_at ${integer} NOT NULL,
      PRIMARY KEY (backend, key)
    )${indexTable}`,
  ],
}
