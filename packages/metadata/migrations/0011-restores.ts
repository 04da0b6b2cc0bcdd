import type { Migration } from './index.ts'

/** Snapshots that this database was rebuilt from. */
export const restores: Migration = {
  version: 11,
  name: 'restores',
  worksFrom: 5,
  statements: ({ text, integer, indexTable }) => [
    `CREATE TABLE restores (
      snapshot ${text} NOT NULL PRIMARY KEY,
      begun_at ${integer} NOT NULL,
      ended_at ${integer}
    )${indexTable}`,
  ],
}
