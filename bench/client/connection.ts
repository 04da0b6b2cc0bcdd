import { connect, type Socket } from 'node:net'
import type { PreparedBlob } from '../content.ts'
import { ResponseParser, type WireResponse } from './response-parser.ts'

/** Larger than a socket's receive buffer usually holds, so that one read takes all that is there. */
const receiveBufferSize = 1024 * 1024
/** Pieces that may wait in the kernel and in Node; more would only cost memory. */
const piecesInFlight = 2

/** One request; `body` goes out with its length, or in chunks as Docker sends a layer whose size it does not know. */
export interface WireRequest {
  method: string
  path: string
  headers?: Readonly<Record<string, string>>
  body?: { content: PreparedBlob; chunked: boolean }
}

/**
 * One keep-alive connection on a bare socket: an HTTP library would cost the client more CPU than most registries spend
 * on the same request, and both share the machine.
 */
export class Connection implements Disposable {
  readonly #socket: Socket
  readonly #host: string
  readonly #parser = new ResponseParser()
  #settle: { resolve: (response: WireResponse) => void; reject: (error: Error) => void } | null = null
  #failure: Error | null = null

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
  }

  /** Connects to a port of the loopback interface. */
  static async open(port: number): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const receive = { to: (_bytes: Buffer): void => {} }
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(receiveBufferSize),
        callback: (count, buffer) => {
          receive.to(Buffer.from(buffer.buffer, buffer.byteOffset, count))
          return true
        },
      },
    })
    socket.once('connect', resolve)
    socket.once('error', reject)
    await promise
    const connection = new Connection(socket, `127.0.0.1:${port}`)
    receive.to = (bytes) => connection.#receive(bytes)
    socket.on('error', (error) => connection.#fail(error))
    socket.on('close', () => connection.#fail(new Error('the registry closed the connection')))
    return connection
  }

  /** Sends one request and waits for the end of its answer. */
  async send(request: WireRequest): Promise<WireResponse> {
    const answered = this.#await(request.method === 'HEAD')
    const { body } = request
    this.#socket.write(this.#headOf(request))
    if (body) {
      // An early refusal settles the answer and the socket may die under the rest of the body: the answer counts.
      await Promise.race([this.#sendBody(body.content, body.chunked), answered]).catch(() => {})
    }
    return await answered
  }

  /** Sends ready bytes of one whole request and waits for the end of its answer. */
  sendRaw(bytes: Buffer, isHead: boolean): Promise<WireResponse> {
    const answered = this.#await(isHead)
    this.#socket.write(bytes)
    return answered
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #await(isHead: boolean): Promise<WireResponse> {
    if (this.#failure) return Promise.reject(this.#failure)
    this.#parser.expect(isHead)
    const { promise, resolve, reject } = Promise.withResolvers<WireResponse>()
    this.#settle = { resolve, reject }
    return promise
  }

  #headOf({ method, path, headers = {}, body }: WireRequest): string {
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n`
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
    if (body) {
      head += body.chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.content.size}\r\n`
    } else if (method !== 'GET' && method !== 'HEAD') {
      head += 'Content-Length: 0\r\n'
    }
    return `${head}\r\n`
  }

  async #sendBody(content: PreparedBlob, chunked: boolean): Promise<void> {
    const writing: Promise<void>[] = []
    for (const buffers of content.pieces()) {
      if (writing.length === piecesInFlight) await writing.shift()
      writing.push(this.#sendPiece(buffers, chunked))
    }
    if (chunked) this.#socket.write('0\r\n\r\n')
    await Promise.all(writing)
  }

  #sendPiece(buffers: readonly Buffer[], chunked: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // When the socket dies, only the first of the waiting pieces is awaited.
    promise.catch(() => {})
    const size = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    const framed = chunked
      ? [Buffer.from(`${size.toString(16)}\r\n`), ...buffers, Buffer.from('\r\n')]
      : buffers
    // Corked writes leave in one system call.
    this.#socket.cork()
    framed.forEach((buffer, index) => {
      if (index < framed.length - 1) this.#socket.write(buffer)
      else this.#socket.write(buffer, (error) => (error ? reject(error) : resolve()))
    })
    this.#socket.uncork()
    return promise
  }

  #receive(bytes: Buffer): void {
    try {
      const response = this.#parser.push(bytes)
      if (!response) return
      this.#settle?.resolve(response)
      this.#settle = null
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle?.reject(this.#failure)
    this.#settle = null
  }
}
