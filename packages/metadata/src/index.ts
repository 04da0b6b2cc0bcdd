export { copyToPostgres, type CopiedTable, type CopyProgress } from './copy/copy-to-postgres.ts'
export { readMove, undoMove } from './copy/moved-away.ts'
export { namedObjects, type NamedObject } from './sqlite/named-objects.ts'
export { migrateSqlite, openSqliteMetadataStore, type SqliteOptions } from './sqlite/open.ts'
export type { SqliteStore } from './sqlite/sqlite-metadata-store.ts'
export { examinePostgres, type ServerFacts, type UnsafeSetting } from './postgres/examine.ts'
export {
  migratePostgres,
  openPostgresMetadataStore,
  type PostgresOptions,
  type PostgresStore,
} from './postgres/open.ts'
export { describePlace, type PostgresSettings } from './postgres/settings.ts'
