import type { ConnectionOptions } from 'node:tls'

/** How a database is reached. Times are in milliseconds. */
export interface PostgresSettings {
  host: string
  port: number
  user: string
  password: string | null
  /** Of the database. */
  database: string
  /** Connections that one process may have. */
  poolSize: number
  /** Null: without TLS. */
  tls: ConnectionOptions | null
  /** How long the server works on a statement before it gives up. 0: without a limit. */
  statementTimeout: number
  /** How long the server waits for a lock. 0: without a limit. */
  lockTimeout: number
  /** How long an operation waits for a connection, and for the server to be back. Default 5000. */
  connectTimeout?: number
  /**
   * How long the server waits for the next statement of a transaction before it undoes it and ends the connection.
   * Default 15 000.
   */
  idleInTransaction?: number
  /** How long a server may be silent that should have answered, or taken leave, before it counts as lost. Default 5000. */
  silence?: number
  /** What the server sees connections as; {@link servingName} unless said otherwise. */
  applicationName?: string
}

/** What servers, and commands beside them, are connected as. */
export const servingName = 'openregistry'

/** What a restore is connected as, which keeps servers away. */
export const restoringName = 'openregistry restore'

/** Milliseconds. */
export const defaultConnectTimeout = 5000

/** Milliseconds. Between two statements of a step lies a round trip; a lease of a job is twice as long. */
export const defaultIdleInTransaction = 15_000

/** Milliseconds. */
export const defaultSilence = 5000

/** Where a database is, for messages: never a password. */
export function describePlace({ host, port, database }: PostgresSettings): string {
  return `PostgreSQL at ${host.includes(':') ? `[${host}]` : host}:${port}, database "${database}"`
}
