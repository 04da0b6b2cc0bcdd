import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to a server, and breaks one of them: the first that has sent so many bytes. */
export class CuttingProxy implements AsyncDisposable {
  /** Bytes that clients have sent in all. */
  sent = 0
  /** Connections that were broken. */
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number, cutAfter: number) {
    this.#server = createServer((client) => this.#pass(client, connect(target, '127.0.0.1'), cutAfter))
  }

  /**
   * @param target port on 127.0.0.1
   * @param cutAfter bytes from the client to the server, after which the connection breaks
   */
  static async start(target: number, cutAfter: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, cutAfter)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** `<host>:<port>` for clients. */
  get address(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.')
    return `127.0.0.1:${address.port}`
  }

  #pass(client: Socket, server: Socket, cutAfter: number): void {
    let bytes = 0
    client.on('data', (piece: Buffer) => {
      bytes += piece.length
      this.sent += piece.length
      if (this.cuts > 0 || bytes <= cutAfter) return
      this.cuts++
      client.resetAndDestroy()
      server.resetAndDestroy()
    })
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.pipe(server)
    server.pipe(client)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
