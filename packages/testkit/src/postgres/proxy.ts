import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What a proxy does when a client says `COMMIT`. */
export type AtCommit =
  /** Passes it on. */
  | 'pass'
  /** Cuts the connection instead: nothing happens. */
  | 'cut before'
  /** Passes it on, and cuts the connection instead of the answer: it happens, and the client does not know. */
  | 'cut after'
  /** The same, but with what a server says that crashes in the middle of it. */
  | 'crash after'
  /** From here on nothing arrives, and nobody is told: nothing happens. */
  | 'silence before'
  /** Passes it on; from then on nothing arrives, and nobody is told: it happens, and the client does not know. */
  | 'silence after'

/** `ErrorResponse` ("Message Formats") of a server that cannot write its log. */
const panic = errorResponse({
  S: 'PANIC',
  V: 'PANIC',
  C: '53100',
  M: 'could not write to file "pg_wal/xlogtemp"',
})

/** The same of one that an administrator tells to end a connection. */
const terminated = errorResponse({
  S: 'FATAL',
  V: 'FATAL',
  C: '57P01',
  M: 'terminating connection due to administrator command',
})

function errorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    `${Object.entries(fields)
      .map(([key, value]) => `${key}${value}\0`)
      .join('')}\0`,
  )
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

interface Pair {
  client: Socket
  server: Socket
  /** Whether nothing is passed on any more, not even the end of one of both. */
  silent: boolean
}

/** A way to a PostgreSQL server that can be cut at chosen moments. Statements are looked for as text, so without TLS. */
export class PostgresProxy implements AsyncDisposable {
  /** Changed by tests at any time. A function is asked at each `COMMIT`, with its number, from 1. */
  atCommit: AtCommit | ((count: number) => AtCommit) = 'pass'
  /** How many of the next connections are ended by an administrator before they are ready. */
  endedAtStart = 0
  /** Connections that were made through it, and commits that came. */
  connections = 0
  commits = 0
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  private constructor(target: { host: string; port: number }) {
    // Half open, so that nobody hears of an end who is not to hear of it.
    this.#server = createServer({ allowHalfOpen: true }, (client) =>
      this.#join(client, connect(target.port, target.host)),
    )
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: { host: string; port: number }): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.')
    return address.port
  }

  /** Cuts every connection that there is. */
  cut(): void {
    for (const pair of this.#pairs) this.#end(pair)
  }

  /**
   * Loses the way without a word, as a failover or a firewall does it: on the connections that there are nothing arrives any
   * more on either side. New ones work.
   */
  silence(): void {
    for (const pair of this.#pairs) pair.silent = true
  }

  #join(client: Socket, server: Socket): void {
    this.connections++
    const pair = { client, server, silent: false }
    this.#pairs.add(pair)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      for (const event of ['error', 'end', 'close']) socket.on(event, () => this.#lose(pair))
    }
    if (this.endedAtStart > 0) {
      this.endedAtStart--
      client.once('data', () => void client.end(terminated, () => this.#end(pair)))
      return
    }
    let next: AtCommit = 'pass'
    client.on('data', (bytes) => {
      if (pair.silent) return
      if (bytes.includes('COMMIT\0')) next = this.#commit()
      if (next === 'cut before') return this.#end(pair)
      if (next === 'silence before') pair.silent = true
      else server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (next === 'crash after') return void client.end(panic, () => this.#end(pair))
      if (next === 'cut after') return this.#end(pair)
      if (next === 'silence after') pair.silent = true
      if (!pair.silent) client.write(bytes)
    })
  }

  #commit(): AtCommit {
    this.commits++
    return typeof this.atCommit === 'string' ? this.atCommit : this.atCommit(this.commits)
  }

  #lose(pair: Pair): void {
    if (!pair.silent) this.#end(pair)
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }
}
