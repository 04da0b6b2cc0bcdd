import { Socket } from 'node:net'
import { Client } from 'pg'
import type { Query, Row } from '../sql/query.ts'
import { sessionStatement } from './session.ts'
import { defaultConnectTimeout, defaultSilence, servingName, type PostgresSettings } from './settings.ts'
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
  readonly #socket: Socket
  readonly #patience: number
  readonly #silence: number
  #lost: ConnectionLost | null = null
  #retired = false
  #unanswered = 0

  private constructor(
    client: Client,
    socket: Socket,
    { statementTimeout, silence = defaultSilence }: PostgresSettings,
  ) {
    this.#client = client
    this.#socket = socket
    this.#silence = silence
    // The server gives up first; whoever hears nothing even then has lost it.
    this.#patience = statementTimeout === 0 ? 0 : statementTimeout + silence
    client.on('error', (error) => (this.#lost ??= new ConnectionLost(error)))
    client.on('end', () => (this.#lost ??= new ConnectionLost(null)))
  }

  /** @throws the error of `pg` or the system when the server cannot be reached or refuses. */
  static async open(settings: PostgresSettings): Promise<Connection> {
    const { host, port, user, password, database, tls } = settings
    const timeout = settings.connectTimeout ?? defaultConnectTimeout
    const socket = new Socket()
    // Nothing here that poolers refuse: what a session needs beside this is `session.ts`.
    const client = new Client({
      host,
      port,
      user,
      password: password ?? '',
      database,
      ssl: tls ?? false,
      stream: () => socket,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      application_name: settings.applicationName ?? servingName,
      connectionTimeoutMillis: timeout,
      types: valueTypes,
    })
    const connection = new Connection(client, socket, settings)
    try {
      await client.connect()
      await connection.#send({ text: sessionStatement(settings) }, timeout)
      return connection
    } catch (error) {
      socket.destroy()
      throw error instanceof ConnectionLost ? (error.cause ?? error) : error
    }
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
   * @throws the server's error, or {@link ConnectionLost}, also when no answer comes in the time that a statement has.
   */
  all(query: Query, statementTimeout?: number): Promise<readonly Row[]> {
    const { text, values, varies } = query
    // A plan for a list of any length, made while a repository had a few rows, reads all of them for ever.
    const name = varies === true ? {} : { name: nameOf(text) }
    const patience = statementTimeout === undefined ? this.#patience : statementTimeout + this.#silence
    return this.#send({ ...name, text, values: [...values] }, patience)
  }

  /** Runs text without values that is not worth preparing, such as `BEGIN` and `COMMIT`. @throws as {@link all}. */
  run(text: string): Promise<readonly Row[]> {
    return this.#send({ text })
  }

  /** The same for what may take as long as it takes: changes of the schema. */
  runForLong(text: string): Promise<readonly Row[]> {
    return this.#send({ text }, 0)
  }

  async #send(
    query: { name?: string; text: string; values?: unknown[] },
    patience = this.#patience,
  ): Promise<readonly Row[]> {
    if (this.#lost !== null) throw this.#lost
    // `query_timeout` is missing in the types.
    const timed = { ...query, query_timeout: patience }
    this.#unanswered++
    try {
      const { rows } = await this.#client.query<Row>(timed)
      return rows
    } catch (error) {
      if (isServerError(error) && !endsConnection(error.code)) {
        // A former primary, when the next connection may find the one that took over; or statements that were prepared
        // before a newer release changed the schema.
        if (error.code === readOnly || error.code === featureNotSupported) this.#retired = true
        throw error
      }
      throw (this.#lost ??= new ConnectionLost(error))
    } finally {
      this.#unanswered--
    }
  }

  /** Ends it; what was sent is finished before, unless it is lost. A server that does not take leave is not waited for. */
  async close(): Promise<void> {
    // What is unanswered has its own time.
    const timer = this.#unanswered > 0 ? undefined : setTimeout(() => this.#socket.destroy(), this.#silence)
    await this.#client.end().catch(() => undefined)
    clearTimeout(timer)
  }
}

/** An error that the server sent (class `DatabaseError` of `pg`). */
export function isServerError(error: unknown): error is Error & { code: string; constraint?: string } {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

/** `read_only_sql_transaction`, and what "cached plan must not change result type" comes under. */
const readOnly = '25006'
const featureNotSupported = '0A000'

/** `idle_in_transaction_session_timeout` and `transaction_timeout`, which somebody may have set. */
const transactionTimeouts = new Set(['25P03', '25P04'])

/** Whether the server ends the connection with this: it shuts down, crashed, or somebody or a time limit told it to. */
export function endsConnection(code: string): boolean {
  return code.startsWith('57P') || code.startsWith('08') || transactionTimeouts.has(code)
}
