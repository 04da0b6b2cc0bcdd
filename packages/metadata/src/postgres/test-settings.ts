import type { PostgresSettings } from './settings.ts'

/** A database as the test kit names it. */
interface DatabaseAddress {
  host: string
  port: number
  user: string
  password: string
  name: string
}

/** What a store in a temporary cluster is opened with. */
export function settingsFor(
  { host, port, user, password, name }: DatabaseAddress,
  over: Partial<PostgresSettings> = {},
): PostgresSettings {
  return {
    host,
    port,
    user,
    password,
    database: name,
    poolSize: 10,
    tls: null,
    statementTimeout: 30_000,
    lockTimeout: 5000,
    ...over,
  }
}
