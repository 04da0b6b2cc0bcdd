export * from './cluster.ts'
export { findPostgres, requirePostgres } from './find-postgres.ts'
export * from './proxy.ts'
export * from './with-postgres.ts'
