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

interface Pair {
  client: Socket
  server: Socket
}

/** A way to a PostgreSQL server that can be cut at chosen moments. Statements are looked for as text, so without TLS. */
export class PostgresProxy implements AsyncDisposable {
  /** Changed by tests at any time. */
  atCommit: AtCommit = 'pass'
  /** Connections that were made through it. */
  connections = 0
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => this.#join(client, connect(target.port, target.host)))
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

  #join(client: Socket, server: Socket): void {
    this.connections++
    const pair = { client, server }
    this.#pairs.add(pair)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.#end(pair))
      socket.on('close', () => this.#end(pair))
    }
    let answersCut = false
    client.on('data', (bytes) => {
      if (this.atCommit !== 'pass' && bytes.includes('COMMIT\0')) {
        if (this.atCommit === 'cut before') return this.#end(pair)
        answersCut = true
      }
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (answersCut) this.#end(pair)
      else client.write(bytes)
    })
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
