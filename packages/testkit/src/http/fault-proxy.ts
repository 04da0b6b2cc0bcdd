import { once } from 'node:events'
import {
  createServer,
  request as send,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'

/** What goes wrong with one request. */
export type HttpFault =
  /** It is answered with this in place of the server, once all of it has come; nothing is passed on. */
  | { kind: 'refuse'; status: number; body: string; headers?: Readonly<Record<string, string>> }
  /** The connection breaks when so many bytes of its body have come. */
  | { kind: 'cut request'; after: number }
  /** It is done, and the connection breaks in place of the answer: the client does not know. */
  | { kind: 'lose answer' }
  /** The connection breaks after so many bytes of the answer's body. */
  | { kind: 'cut answer'; after: number }
  /** The byte at this offset of the answer's body is its complement. */
  | { kind: 'wrong byte'; at: number }
  /** The answer's body ends so many bytes early, and its headers say that this is all. */
  | { kind: 'short'; by: number }
  /** The answer's body is this text, whatever it was. */
  | { kind: 'instead'; body: string }
  /** It is passed on without this header. */
  | { kind: 'without header'; name: string }
  /** Its answer has these headers as well. */
  | { kind: 'more headers'; headers: Readonly<Record<string, string>> }
  /** The answer is passed on, and its trailer `X-Stream-Error` says this. */
  | { kind: 'trailer'; message: string }
  /** It is never answered. */
  | { kind: 'silence' }
  /** It waits for this before it is passed on. */
  | { kind: 'wait'; until: Promise<void> }

/** A request as it came. */
export interface ProxiedRequest {
  method: string
  /** Without the query. */
  path: string
  query: URLSearchParams
  /** Of requests of this method and path, from 1. */
  count: number
}

/** A way to an HTTP server on which requests meet faults. */
export class HttpFaultProxy implements AsyncDisposable {
  /** Says what happens to a request; null: nothing. Set and cleared by tests at any time. */
  fault: ((request: ProxiedRequest) => HttpFault | null) | null = null
  /** Everything that was asked. */
  readonly requests: ProxiedRequest[] = []
  readonly #counts = new Map<string, number>()
  readonly #target: URL
  readonly #server: Server

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((request, response) => void this.#pass(request, response))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: string): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(new URL(target))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.')
    return `http://127.0.0.1:${address.port}`
  }

  /** How often a path was asked for, whatever came of it. */
  count(path: string): number {
    return this.#counts.get(path) ?? 0
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request
    const { pathname: path, searchParams: query } = new URL(url, this.#target)
    const count = this.count(path) + 1
    this.#counts.set(path, count)
    const asked = { method, path, query, count }
    this.requests.push(asked)
    const fault = this.fault?.(asked) ?? null
    // A message that was cut off has no socket any more.
    const { socket } = request
    const cut = (): void => void socket.destroy()
    request.on('error', cut)
    response.on('error', cut)
    if (fault?.kind === 'silence') return void request.resume()
    if (fault?.kind === 'refuse') {
      await drained(request).catch(cut)
      return void response.writeHead(fault.status, fault.headers).end(fault.body)
    }
    if (fault?.kind === 'wait') await fault.until
    const { hostname: host, port } = this.#target
    const onward = send({ host, port, method, path: url, headers: headersOf(request, fault) })
    onward.on('error', cut)
    response.on('close', () => onward.destroy())
    onward.on('response', (answer) => void giveBack(answer, response, fault).catch(cut))
    await forward(request, onward, fault?.kind === 'cut request' ? fault.after : Infinity).catch(() => {
      cut()
      onward.destroy()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

function headersOf({ headers }: IncomingMessage, fault: HttpFault | null): IncomingHttpHeaders {
  if (fault?.kind !== 'without header') return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== fault.name))
}

async function drained(message: IncomingMessage): Promise<void> {
  for await (const chunk of message) void chunk
}

/** Passes a body on. @throws Error when so many bytes have come. */
async function forward(request: IncomingMessage, onward: ClientRequest, most: number): Promise<void> {
  let sent = 0
  if (most === 0) throw new Error('cut')
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sent += chunk.length
    if (sent >= most) throw new Error('cut')
    if (!onward.write(chunk)) await once(onward, 'drain')
  }
  onward.end()
}

/** Passes an answer on. @throws Error when the connection is to break. */
async function giveBack(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: HttpFault | null,
): Promise<void> {
  const headers = { ...answer.headers, ...(fault?.kind === 'more headers' ? fault.headers : {}) }
  // Some announce trailers for an answer without a body, which Node refuses to do.
  if (headers['transfer-encoding'] === undefined) delete headers.trailer
  if (fault?.kind === 'lose answer') {
    await drained(answer)
    throw new Error('lost')
  }
  if (fault?.kind === 'instead') {
    await drained(answer)
    delete headers['content-length']
    return void response.writeHead(answer.statusCode ?? 500, headers).end(fault.body)
  }
  const most = fault?.kind === 'cut answer' ? fault.after : Infinity
  let end = Infinity
  if (fault?.kind === 'short') {
    end = Number(headers['content-length']) - fault.by
    headers['content-length'] = String(end)
  }
  response.writeHead(answer.statusCode ?? 500, headers)
  let at = 0
  for await (const whole of answer as AsyncIterable<Buffer>) {
    const chunk = whole.subarray(0, Math.max(0, Math.min(end, most) - at))
    const wrong = fault?.kind === 'wrong byte' ? fault.at - at : -1
    if (wrong >= 0 && wrong < chunk.length) chunk[wrong] = ~(chunk[wrong] ?? 0)
    if (chunk.length > 0 && !response.write(chunk)) await once(response, 'drain')
    at += whole.length
    if (at > most) throw new Error('cut')
  }
  const trailers = Object.entries(answer.trailers).map(([name, value]): [string, string] => [
    name,
    value ?? '',
  ])
  response.addTrailers(fault?.kind === 'trailer' ? { 'X-Stream-Error': fault.message } : trailers)
  response.end()
}
