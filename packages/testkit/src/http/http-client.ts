import * as http from 'node:http'
import * as https from 'node:https'
import { groupHeaders, httpResponse, type HttpResponse } from './http-response.ts'

/** A request whose every header is what the test says, and nothing is normalised. */
export interface HttpRequest {
  /** GET unless said otherwise. */
  method?: string
  /** Path and query as they are sent; not decoded, not resolved. */
  path: string
  headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  body?: Uint8Array | string | AsyncIterable<Uint8Array>
  /**
   * How the end of the body is announced. Bytes have a `length`, other bodies are `chunked`, unless said otherwise.
   */
  framing?: 'length' | 'chunked'
  signal?: AbortSignal
}

/** Options of an {@link HttpClient}. */
export interface HttpClientOptions {
  /** Sent with every request, unless the request has the header itself. */
  headers?: Readonly<Record<string, string>>
  /** Certificate authority of a server with TLS, in PEM. */
  ca?: string
}

/** A request under way: the test decides when which byte is sent, and how it ends. */
export interface OpenRequest {
  /** Sends bytes; resolves when the socket has taken them. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the body. */
  end(): void
  /** Breaks the connection, as a client that dies does. {@link response} rejects then. */
  abort(): void
  readonly response: Promise<HttpResponse>
}

/** A client for tests on `node:http`: it follows no redirect, tries nothing again and adds no header but `host`. */
export class HttpClient implements Disposable {
  readonly origin: URL
  readonly #options: HttpClientOptions
  readonly #agent: http.Agent

  constructor(origin: string | URL, options: HttpClientOptions = {}) {
    this.origin = new URL(origin)
    this.#options = options
    this.#agent =
      this.origin.protocol === 'https:'
        ? new https.Agent({ keepAlive: true, ...(options.ca === undefined ? {} : { ca: options.ca }) })
        : new http.Agent({ keepAlive: true })
  }

  /** Sends a whole request and reads the whole answer. Rejects when the connection breaks before its end. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { body, framing } = request
    if (body === undefined) {
      const open = this.begin(request)
      open.end()
      return open.response
    }
    if (typeof body === 'object' && Symbol.asyncIterator in body) return this.#sendStream(request, body)
    const bytes = Buffer.from(body)
    const length = framing === 'chunked' ? {} : { 'content-length': String(bytes.length) }
    const open = this.begin({ ...request, headers: { ...length, ...request.headers } })
    // A server may answer and close before it has read all; the answer is what counts.
    await Promise.race([open.write(bytes), open.response])
    open.end()
    return open.response
  }

  async #sendStream(request: HttpRequest, body: AsyncIterable<Uint8Array>): Promise<HttpResponse> {
    const open = this.begin(request)
    let answered = false
    const noteAnswer = () => {
      answered = true
    }
    open.response.then(noteAnswer, noteAnswer)
    for await (const piece of body) {
      if (answered) break
      await Promise.race([open.write(piece), open.response])
    }
    open.end()
    return open.response
  }

  /**
   * Begins a request without its body. Without a `content-length` header the body of a method that may have one is
   * chunked as soon as something is written.
   */
  begin(request: Omit<HttpRequest, 'body' | 'framing'>): OpenRequest {
    const headers: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries({ ...this.#options.headers, ...request.headers })) {
      if (value !== undefined) headers[name] = typeof value === 'string' ? value : [...value]
    }
    const { protocol, hostname, port } = this.origin
    const { request: open } = protocol === 'https:' ? https : http
    const outgoing = open({
      protocol,
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      path: request.path,
      method: request.method ?? 'GET',
      headers,
      agent: this.#agent,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    })
    return openRequest(outgoing)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

function openRequest(outgoing: http.ClientRequest): OpenRequest {
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
  outgoing.on('error', reject)
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', reject)
    incoming.on('end', () => {
      resolve(
        httpResponse(incoming.statusCode ?? 0, groupHeaders(incoming.rawHeaders), Buffer.concat(chunks)),
      )
    })
  })
  // Whoever aborts need not look at the answer as well.
  promise.catch(() => {})
  return {
    write: (bytes) =>
      new Promise((written, failed) => {
        outgoing.write(bytes, (error) => (error ? failed(error) : written()))
      }),
    end: () => void outgoing.end(),
    abort: () => void outgoing.destroy(new Error('The test broke the connection.')),
    response: promise,
  }
}
