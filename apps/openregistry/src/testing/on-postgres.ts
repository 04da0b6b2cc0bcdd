/** Variables that let a registry use a database. */
export function databaseVariables(database: {
  host: string
  port: number
  user: string
  password: string
  name: string
}): Record<string, string> {
  return {
    OPEN_REGISTRY_DB_HOST: database.host,
    OPEN_REGISTRY_DB_PORT: String(database.port),
    OPEN_REGISTRY_DB_USER: database.user,
    OPEN_REGISTRY_DB_PASSWORD: database.password,
    OPEN_REGISTRY_DB_NAME: database.name,
  }
}
