import { setTimeout as pause } from 'node:timers/promises'
import { RegistryError } from '@openregistry/oci'
import { Connection } from './connection.ts'
import { connectFault, mayComeBack } from './faults.ts'
import { defaultConnectTimeout, type PostgresSettings } from './settings.ts'

/** Between two attempts to connect, in milliseconds: doubled each time, up to the greater. */
const backOff = { least: 50, most: 2000 }

/** Milliseconds after which a connection that nobody needed is given back to the server. */
const idleAtMost = 60_000

/** Whom a connection is for. */
export type PoolUse = 'read' | 'step'

interface Waiting {
  use: PoolUse
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
 * Some are kept for reads, which must not wait behind steps that wait for each other.
 */
export class Pool implements AsyncDisposable {
  readonly #settings: PostgresSettings
  readonly #idle: Idle[] = []
  readonly #waiting: Waiting[] = []
  readonly #busy = new Map<Connection, PoolUse>()
  readonly #stepsAtMost: number
  #opening = 0
  #failures = 0
  #steps = 0
  #notBefore = 0
  #lastFault: RegistryError | null = null
  #closed = false
  readonly #sweep: NodeJS.Timeout

  constructor(settings: PostgresSettings) {
    this.#settings = settings
    this.#stepsAtMost = Math.max(1, Math.floor(settings.poolSize * 0.8))
    this.#sweep = setInterval(() => this.#closeIdle(idleAtMost), idleAtMost / 2).unref()
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
  async use<T>(use: PoolUse, body: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire(use)
    try {
      return await body(connection)
    } finally {
      this.#release(connection)
    }
  }

  #acquire(use: PoolUse): Promise<Connection> {
    if (this.#closed) return Promise.reject(closed())
    const kept = this.#mayUse(use) ? this.#takeIdle() : null
    if (kept !== null) return Promise.resolve(this.#lend(kept, use))
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const limit = this.#settings.connectTimeout ?? defaultConnectTimeout
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1)
      reject(this.#lastFault ?? this.#whyNone(limit))
    }, limit)
    const entry: Waiting = {
      use,
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

  #whyNone(limit: number): RegistryError {
    if (this.#busy.size > 0) return tooBusy(this.#settings, limit)
    return connectFault(new Error(`timeout after ${limit} ms`), this.#settings)
  }

  #mayUse(use: PoolUse): boolean {
    return use === 'read' || this.#steps < this.#stepsAtMost
  }

  #takeIdle(): Connection | null {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (!last.connection.lost) return last.connection
    }
    return null
  }

  #lend(connection: Connection, use: PoolUse): Connection {
    this.#busy.set(connection, use)
    if (use === 'step') this.#steps++
    return connection
  }

  #release(connection: Connection): void {
    if (this.#busy.get(connection) === 'step') this.#steps--
    this.#busy.delete(connection)
    // One that is of no use is rarely alone: nobody shall find out with the others, one by one.
    if (connection.lost || connection.retired) this.#closeIdle(0)
    if (this.#closed || !connection.reusable) {
      void connection.close()
      const kept = this.#takeIdle()
      if (kept !== null) this.#offer(kept)
      this.#grow()
    } else this.#offer(connection)
  }

  /** Gives a connection to whoever has waited longest and may have one. */
  #offer(connection: Connection): void {
    const index = this.#waiting.findIndex(({ use }) => this.#mayUse(use))
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1)
    if (next === undefined) this.#idle.push({ connection, since: performance.now() })
    else next.resolve(this.#lend(connection, next.use))
  }

  /** Opens connections while somebody waits who may have one, and there may be more of them. */
  #grow(): void {
    const wanted = () => this.#waiting.filter(({ use }) => this.#mayUse(use)).length > this.#opening
    const allowed = () =>
      this.#busy.size + this.#idle.length + this.#opening < this.#settings.poolSize &&
      (this.#failures === 0 || this.#opening === 0)
    while (!this.#closed && wanted() && allowed()) {
      this.#opening++
      void this.#open()
    }
  }

  async #open(): Promise<void> {
    await pause(Math.max(0, this.#notBefore - performance.now()))
    try {
      const connection = await Connection.open(this.#settings)
      this.#opening--
      this.#failures = 0
      this.#lastFault = null
      if (this.#closed) void connection.close()
      else this.#offer(connection)
    } catch (error) {
      this.#opening--
      this.#failures++
      this.#notBefore = performance.now() + delayAfter(this.#failures)
      this.#lastFault = connectFault(error, this.#settings)
      // Waiting does not help against a wrong password.
      if (!mayComeBack(error)) this.#refuseAll(this.#lastFault)
    }
    this.#grow()
  }

  #refuseAll(error: RegistryError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** @param atMost how long one may have been idle, in milliseconds. */
  #closeIdle(atMost: number): void {
    const limit = performance.now() - atMost
    for (let oldest = this.#idle[0]; oldest !== undefined && oldest.since <= limit; oldest = this.#idle[0]) {
      this.#idle.shift()
      void oldest.connection.close()
    }
  }

  /** Refuses what waits, and ends every connection; statements that were sent are finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweep)
    this.#refuseAll(closed())
    const open = [...this.#idle.splice(0).map(({ connection }) => connection), ...this.#busy.keys()]
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
