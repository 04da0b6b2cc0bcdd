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
  #lost: ConnectionLost | null = null

  private constructor(client: Client) {
    this.#client = client
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
    const connection = new Connection(client)
    await client.connect()
    return connection
  }

  /** Whether it is of no use any more. */
  get lost(): boolean {
    return this.#lost !== null
  }

  /** Whether it is of use and no transaction is open in it. */
  get idle(): boolean {
    return this.#lost === null && this.#client.getTransactionStatus() === 'I'
  }

  /**
   * Runs a query and gives its rows.
   * @throws the server's error, or {@link ConnectionLost}.
   */
  all(query: Query): Promise<readonly Row[]> {
    return this.#send({ name: nameOf(query.text), text: query.text, values: [...query.values] })
  }

  /** Runs text without values that is not worth preparing: `BEGIN`, `COMMIT`, statements of the schema. */
  async run(text: string): Promise<readonly Row[]> {
    return this.#send({ text })
  }

  async #send(query: { name?: string; text: string; values?: unknown[] }): Promise<readonly Row[]> {
    if (this.#lost !== null) throw this.#lost
    try {
      const { rows } = await this.#client.query<Row>(query)
      return rows
    } catch (error) {
      if (isServerError(error) && !endsConnection(error.code)) throw error
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

/** Whether the server ends the connection with this: it shuts down, crashed, or somebody told it to. */
function endsConnection(code: string): boolean {
  return code.startsWith('57P') || code.startsWith('08')
}
