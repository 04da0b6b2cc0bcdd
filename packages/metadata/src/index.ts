export type { CopiedTable, CopyProgress } from './copy/copy-to-postgres.ts'
export { readMove, undoMove } from './copy/moved-away.ts'
export { namedObjects, type NamedObject } from './sqlite/named-objects.ts'
export type { KeptTotals } from './sqlite/kept-answers.ts'
export { migrateSqlite, openSqliteMetadataStore, type SqliteOptions } from './sqlite/open.ts'
export type { SqliteStore } from './sqlite/sqlite-metadata-store.ts'
export type { ServerFacts, UnsafeSetting } from './postgres/examine.ts'
export {
  copyToPostgres,
  examinePostgres,
  isServed,
  migratePostgres,
  openPostgresMetadataStore,
} from './postgres/when-used.ts'
export type { PostgresOptions, PostgresStore } from './postgres/open.ts'
export { describePlace, restoringName, type PostgresSettings } from './postgres/settings.ts'
