import type { Migration, SchemaWords } from './index.ts'

/** By what a database and its backends know each other. */
export const backendIdentities: Migration = {
  version: 6,
  name: 'backend-identities',
  // One more table: older programs do without it.
  worksFrom: 4,
  statements: ({ text, integer, indexTable }: SchemaWords) => [
    `CREATE TABLE backend_identities (
      backend ${text} NOT NULL PRIMARY KEY,
      identity ${text} NOT NULL,
      tied_at ${integer} NOT NULL
    )${indexTable}`,
  ],
}
