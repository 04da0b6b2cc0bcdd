export {
  migrateSqlite,
  openSqliteMetadataStore,
  type SqliteOptions,
  type SqliteStore,
} from './sqlite/open.ts'
