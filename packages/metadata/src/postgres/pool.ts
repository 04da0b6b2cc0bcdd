import { setTimeout as pause } from 'node:timers/promises'
import { RegistryError } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { connectFault, mayComeBack } from './faults.ts'
import { defaultConnectTimeout, type PostgresSettings } from './settings.ts'

/** Between two attempts to connect, in milliseconds: doubled each time, up to the greater. */
const backOff = { least: 50, most: 2000 }

/** Milliseconds after which a connection that nobody needed is given back to the server. */
const idleAtMost = 60_000

interface Waiting {
  resolve(connection: Connection): void
  reject(error: Error): void
}

/** An open connection that nobody uses, since when. */
interface Idle {
  connection: Connection
  since: number
}

/**
 * A bounded number of connections. The one that was used last is used next, so that a quiet registry keeps few of them.
 * While the server is away, one attempt at a time is made, at growing intervals, and operations wait for it for a while.
 */
export class Pool implements AsyncDisposable {
  readonly #settings: PostgresSettings
  readonly #idle: Idle[] = []
  readonly #waiting: Waiting[] = []
  readonly #busy = new Set<Connection>()
  #opening = 0
  #failures = 0
  #lastFault: RegistryError | null = null
  #closed = false
  readonly #sweep: NodeJS.Timeout

  constructor(settings: PostgresSettings) {
    this.#settings = settings
    this.#sweep = setInterval(() => this.#closeIdle(), idleAtMost / 2).unref()
  }

  /** Connections that operations use at this moment. */
  get inUse(): number {
    return this.#busy.size
  }

  /**
   * Lends a connection for as long as `body` runs. One that is lost, or in which a transaction is left open, is not used
   * again.
   * @throws RegistryError `METADATA_UNAVAILABLE` when there is none in time, and what `body` throws.
   */
  async use<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire()
    let whole = false
    try {
      const value = await body(connection)
      whole = true
      return value
    } finally {
      this.#release(connection, whole || connection.idle)
    }
  }

  #acquire(): Promise<Connection> {
    if (this.#closed) return Promise.reject(closed())
    const kept = this.#takeIdle()
    if (kept !== null) return Promise.resolve(kept)
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const limit = this.#settings.connectTimeout ?? defaultConnectTimeout
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1)
      reject(this.#lastFault ?? tooBusy(this.#settings, limit))
    }, limit)
    const entry: Waiting = {
      resolve: (connection) => {
        clearTimeout(timer)
        resolve(connection)
      },
      reject: (error) => {
        clearTimeout(timer)
        reject(error)
      },
    }
    this.#waiting.push(entry)
    this.#grow()
    return promise
  }

  #takeIdle(): Connection | null {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.connection.lost) continue
      this.#busy.add(last.connection)
      return last.connection
    }
    return null
  }

  #release(connection: Connection, usable: boolean): void {
    this.#busy.delete(connection)
    if (!usable || connection.lost || this.#closed) {
      void connection.close()
      this.#grow()
      return
    }
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push({ connection, since: performance.now() })
    else {
      this.#busy.add(connection)
      next.resolve(connection)
    }
  }

  /** Opens connections while somebody waits and there may be more of them. */
  #grow(): void {
    const wanted = () => this.#waiting.length > this.#opening
    const allowed = () =>
      this.#busy.size + this.#opening < this.#settings.poolSize &&
      (this.#failures === 0 || this.#opening === 0)
    while (!this.#closed && wanted() && allowed()) {
      this.#opening++
      void this.#open()
    }
  }

  async #open(): Promise<void> {
    if (this.#failures > 0) await pause(delayAfter(this.#failures))
    try {
      const connection = await Connection.open(this.#settings)
      this.#opening--
      this.#failures = 0
      this.#lastFault = null
      this.#release(connection, true)
    } catch (error) {
      this.#opening--
      this.#failures++
      this.#lastFault = connectFault(error, this.#settings)
      // Waiting does not help against a wrong password.
      if (!mayComeBack(error)) this.#refuseAll(this.#lastFault)
    }
    this.#grow()
  }

  #refuseAll(error: RegistryError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #closeIdle(): void {
    const limit = performance.now() - idleAtMost
    for (let oldest = this.#idle[0]; oldest !== undefined && oldest.since < limit; oldest = this.#idle[0]) {
      this.#idle.shift()
      void oldest.connection.close()
    }
  }

  /** Refuses what waits, and ends every connection; statements that were sent are finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweep)
    this.#refuseAll(closed())
    const open = [...this.#idle.splice(0).map(({ connection }) => connection), ...this.#busy]
    await Promise.all(open.map((connection) => connection.close()))
  }
}

function delayAfter(failures: number): number {
  const most = Math.min(backOff.least * 2 ** (failures - 1), backOff.most)
  return most * (0.5 + Math.random() / 2)
}

function closed(): RegistryError {
  return new RegistryError('METADATA_UNAVAILABLE', 'The database was closed.')
}

function tooBusy({ poolSize }: PostgresSettings, limit: number): RegistryError {
  return new RegistryError(
    'METADATA_UNAVAILABLE',
    `All ${poolSize} connections to the database have been busy for ${limit} ms; try again, or raise db.pool_size.`,
  )
}
