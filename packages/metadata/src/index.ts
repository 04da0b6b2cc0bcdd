export { namedObjects, type NamedObject } from './sqlite/named-objects.ts'
export {
  migrateSqlite,
  openSqliteMetadataStore,
  type SqliteOptions,
  type SqliteStore,
} from './sqlite/open.ts'
