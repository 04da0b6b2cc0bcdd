export { namedObjects, type NamedObject } from './sqlite/named-objects.ts'
export { migrateSqlite, openSqliteMetadataStore, type SqliteOptions } from './sqlite/open.ts'
export type { SqliteStore } from './sqlite/sqlite-metadata-store.ts'
