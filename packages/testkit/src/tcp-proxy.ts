import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A port of 127.0.0.1 in front of another one, whose connections can be broken. */
export class TcpProxy implements AsyncDisposable {
  /** Bytes that clients have sent in all. */
  sent = 0
  /** Whether the connection was broken that sent too much. */
  broken = false
  readonly #server: Server
  readonly #breakAfter: number
  readonly #sockets = new Set<Socket>()

  private constructor(target: number, breakAfter: number) {
    this.#breakAfter = breakAfter
    this.#server = createServer((client) => this.#pass(client, connect(target, '127.0.0.1')))
  }

  /**
   * @param target port on 127.0.0.1.
   * @param breakAfter bytes from a client: the first connection that has sent more is broken, and no other.
   */
  static async start(target: number, { breakAfter = Infinity } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, breakAfter)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** `<host>:<port>`. */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Breaks every connection at once, wherever its bytes are. @returns how many. */
  cut(): number {
    const count = this.#sockets.size / 2
    for (const socket of this.#sockets) socket.resetAndDestroy()
    return count
  }

  #pass(client: Socket, server: Socket): void {
    let sent = 0
    client.on('data', (bytes) => {
      sent += bytes.length
      this.sent += bytes.length
      if (this.broken || sent <= this.#breakAfter) return
      this.broken = true
      client.resetAndDestroy()
      server.resetAndDestroy()
    })
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
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
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
