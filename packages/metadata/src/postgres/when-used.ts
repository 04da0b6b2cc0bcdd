/*
 * What needs the driver of PostgreSQL is loaded when it is used: a registry on SQLite has no memory for it, and starts sooner.
 */

/** See `open.ts`. */
export const openPostgresMetadataStore: typeof import('./open.ts').openPostgresMetadataStore = async (
  ...input
) => (await import('./open.ts')).openPostgresMetadataStore(...input)

/** See `open.ts`. */
export const migratePostgres: typeof import('./open.ts').migratePostgres = async (...input) =>
  (await import('./open.ts')).migratePostgres(...input)

/** See `examine.ts`. */
export const examinePostgres: typeof import('./examine.ts').examinePostgres = async (...input) =>
  (await import('./examine.ts')).examinePostgres(...input)

/** See `in-use.ts`. */
export const isServed: typeof import('./in-use.ts').isServed = async (...input) =>
  (await import('./in-use.ts')).isServed(...input)

/** See `../copy/copy-to-postgres.ts`. */
export const copyToPostgres: typeof import('../copy/copy-to-postgres.ts').copyToPostgres = async (...input) =>
  (await import('../copy/copy-to-postgres.ts')).copyToPostgres(...input)
