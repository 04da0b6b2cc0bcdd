import type { DatabaseAddress } from '@openregistry/testkit'

/** Variables that let a registry use a database. */
export function databaseVariables(database: DatabaseAddress): Record<string, string> {
  return {
    OPEN_REGISTRY_DB_HOST: database.host,
    OPEN_REGISTRY_DB_PORT: String(database.port),
    OPEN_REGISTRY_DB_USER: database.user,
    OPEN_REGISTRY_DB_PASSWORD: database.password,
    OPEN_REGISTRY_DB_NAME: database.name,
  }
}

/** The same with as few processes and connections as a registry can do with. */
export function smallestOn(database: DatabaseAddress): Record<string, string> {
  return { ...databaseVariables(database), OPEN_REGISTRY_DB_POOL_SIZE: '4', OPEN_REGISTRY_HTTP_WORKERS: '1' }
}
