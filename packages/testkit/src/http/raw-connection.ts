import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ResponseReader } from './response-reader.ts'
import type { HttpResponse } from './http-response.ts'

/** A bare connection to a server, for bytes that no HTTP library would send. */
export class RawConnection implements Disposable {
  readonly #socket: Socket
  readonly #reader = new ResponseReader()
  /** The server sends no more, by its end or by a reset. */
  readonly #ended: Promise<void>
  #waiting: (() => void) | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    // A reset is one way for the server to say no; reading tells how far it came.
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      this.#reader.add(bytes)
      this.#waiting?.()
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ended = promise
    const end = () => {
      this.#reader.end()
      this.#waiting?.()
      resolve()
    }
    socket.on('end', end)
    socket.on('close', end)
  }

  /** Connects to the host and port of an `http:` origin. */
  static async open(origin: string | URL): Promise<RawConnection> {
    const { hostname, port } = new URL(origin)
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port),
      allowHalfOpen: true,
    })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** Sends bytes, or text as Latin-1, as they are. */
  write(bytes: Uint8Array | string): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /**
   * Sends bytes in pieces of `size` with `interval` milliseconds between them, until all are sent or the server has
   * closed. Resolves with the number of bytes sent.
   */
  async trickle(bytes: Uint8Array, options: { size: number; interval: number }): Promise<number> {
    let sent = 0
    while (sent < bytes.length && !this.#socket.readableEnded && !this.#socket.destroyed) {
      this.write(bytes.subarray(sent, sent + options.size))
      sent = Math.min(bytes.length, sent + options.size)
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, options.interval)
      await Promise.race([promise, this.#ended])
      clearTimeout(timer)
    }
    return sent
  }

  /** The next answer. Null when the server closed without one. Rejects when it closed in the middle of one. */
  async response(options: { toHead?: boolean } = {}): Promise<HttpResponse | null> {
    for (;;) {
      const response = this.#reader.next(options)
      if (response !== undefined) return response
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  /** Resolves when the server has ended the connection. What it sent before is still there to be read. */
  ended(): Promise<void> {
    return this.#ended
  }

  /** Says that nothing more will be sent, and goes on reading. */
  end(): void {
    this.#socket.end()
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
