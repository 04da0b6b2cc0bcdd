import { Client } from 'pg'
import type { Query, Row } from '../sql/query.ts'
import { defaultConnectTimeout, type PostgresSettings } from './settings.ts'
import { valueTypes } from './value-types.ts'

/** The connection ended under a statement: whether it was done is not known. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super('The connection to the database was lost.', { cause })
  }
}

/** Milliseconds after the end of a statement's time in which the server has to say so. */
const silence = 5000

/** Names of prepared statements by their text; the same on every connection. */
const names = new Map<string, string>()

function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) names.set(text, (name = `openregistry_${names.size + 1}`))
  return name
}

/**
 * A connection with its prepared statements. Statements are sent as soon as they are given, so that several of them share
 * a round trip; answers come in the same order.
 */
export class Connection {
  readonly #client: Client
  readonly #patience: number
  #lost: ConnectionLost | null = null
  #retired = false

  private constructor(client: Client, statementTimeout: number) {
    this.#client = client
    // The server gives up first; whoever hears nothing even then has lost it.
    this.#patience = statementTimeout === 0 ? 0 : statementTimeout + silence
    client.on('error', (error) => (this.#lost ??= new ConnectionLost(error)))
    client.on('end', () => (this.#lost ??= new ConnectionLost(null)))
  }

  /** @throws the error of `pg` or the system when the server cannot be reached or refuses. */
  static async open(settings: PostgresSettings): Promise<Connection> {
    const { host, port, user, password, database, tls } = settings
    const client = new Client({
      host,
      port,
      user,
      password: password ?? '',
      database,
      ssl: tls ?? false,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      application_name: 'openregistry',
      connectionTimeoutMillis: settings.connectTimeout ?? defaultConnectTimeout,
      statement_timeout: settings.statementTimeout,
      lock_timeout: settings.lockTimeout,
      // Compiling a query costs more than any of ours takes.
      options: '-c bytea_output=hex -c jit=off -c client_encoding=UTF8',
      types: valueTypes,
    })
    const connection = new Connection(client, settings.statementTimeout)
    await client.connect()
    return connection
  }

  /** Whether it is of no use any more. */
  get lost(): boolean {
    return this.#lost !== null
  }

  /** Whether the next operation may have it: it works, and no transaction is open in it. */
  get reusable(): boolean {
    return this.#lost === null && !this.#retired && this.#client.getTransactionStatus() === 'I'
  }

  /** Whether it works, and another one should be used nevertheless. */
  get retired(): boolean {
    return this.#retired
  }

  /** Says that another connection may lead to a better server. */
  retire(): void {
    this.#retired = true
  }

  /**
   * Runs a query and gives its rows.
   * @param statementTimeout milliseconds that the server may take, if it was told another limit than that of the settings.
   * @throws the server's error, or {@link ConnectionLost}.
   */
  all(query: Query, statementTimeout?: number): Promise<readonly Row[]> {
    const { text, values } = query
    const patience = statementTimeout === undefined ? this.#patience : statementTimeout + silence
    return this.#send({ name: nameOf(text), text, values: [...values], query_timeout: patience })
  }

  /** Runs text without values that is not worth preparing: `BEGIN`, `COMMIT`, statements of the schema. */
  async run(text: string): Promise<readonly Row[]> {
    return this.#send({ text })
  }

  async #send(query: {
    name?: string
    text: string
    values?: unknown[]
    query_timeout?: number
  }): Promise<readonly Row[]> {
    if (this.#lost !== null) throw this.#lost
    try {
      const { rows } = await this.#client.query<Row>(query)
      return rows
    } catch (error) {
      if (isServerError(error) && !endsConnection(error.code)) {
        // A former primary, when the next connection may find the one that took over; or statements that were prepared
        // before a newer release changed the schema.
        if (error.code === readOnly || error.code === featureNotSupported) this.#retired = true
        throw error
      }
      throw (this.#lost ??= new ConnectionLost(error))
    }
  }

  /** Ends it; what was sent is finished before, unless it is lost. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}

/** An error that the server sent (class `DatabaseError` of `pg`). */
export function isServerError(error: unknown): error is Error & { code: string; constraint?: string } {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

/** `read_only_sql_transaction`, and what "cached plan must not change result type" comes under. */
const readOnly = '25006'
const featureNotSupported = '0A000'

/** Whether the server ends the connection with this: it shuts down, crashed, or somebody or a time limit told it to. */
function endsConnection(code: string): boolean {
  return code.startsWith('57P') || code.startsWith('08') || code === '25P03'
}
