import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { RegistryError } from '@openregistry/oci'
import { ociErrorBody } from '../v2/errors.ts'

const lastAnswer = Symbol('last answer')

/** It is kept on the socket itself, since it is noted for every request: a map of sockets costs each of them a search. */
interface Connection extends Socket {
  [lastAnswer]?: ServerResponse
}

/** Refuses what comes on a connection after bytes that are no HTTP. */
export class MalformedRequests {
  readonly #seen = new WeakSet<Socket>()

  /** Notes the answer that follows on a connection, before it is begun. */
  remember(socket: Connection, response: ServerResponse): void {
    socket[lastAnswer] = response
  }

  /**
   * Requests that never became one: Node's parser refused them. Answered in the words of `/v2`, then closed; once the
   * requests before them are answered, since nothing may be written into the middle of those.
   */
  answer(error: NodeJS.ErrnoException, socket: Connection): void {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const last = socket[lastAnswer]
    const isUnderWay = last !== undefined && !last.writableFinished
    if (!isUnderWay) return refuseMalformed(error, socket)
    // The broken bytes are in the body of this request.
    if (!last.req.complete) return last.headersSent ? void socket.destroy() : refuseMalformed(error, socket)
    if (this.#seen.has(socket)) return
    this.#seen.add(socket)
    last.once('close', () => {
      this.#seen.delete(socket)
      this.answer(error, socket)
    })
  }
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  const [status, refusal] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ([431, new RegistryError('HEADERS_TOO_LARGE')] as const)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, new RegistryError('REQUEST_TIMEOUT')] as const)
        : ([400, new RegistryError('REQUEST_INVALID', 'This is not a well-formed HTTP request.')] as const)
  refuseConnection(socket, status, refusal)
}

/** Answers without Node's help, and ends the connection. */
export function refuseConnection(socket: Socket, status: number, error: RegistryError): void {
  const body = ociErrorBody(error)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
