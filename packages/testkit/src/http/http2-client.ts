import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Settings,
} from 'node:http2'
import { HttpClient, type HttpClientOptions, type HttpRequest, type OpenRequest } from './http-client.ts'
import { groupHeaders, httpResponse, type HttpResponse } from './http-response.ts'

/** Options of an {@link Http2Client}. */
export interface Http2ClientOptions extends HttpClientOptions {
  /** What it tells the server about itself. */
  settings?: Settings
}

/** The same client over HTTP/2: all requests share one connection. */
export class Http2Client extends HttpClient {
  readonly session: ClientHttp2Session
  readonly #headers: Readonly<Record<string, string>>

  constructor(origin: string | URL, options: Http2ClientOptions = {}) {
    super(origin, options)
    this.#headers = options.headers ?? {}
    const { ca, settings = {} } = options
    this.session = connect(this.origin, ca === undefined ? { settings } : { settings, ca })
    // Requests hear of it by themselves.
    this.session.on('error', () => undefined)
  }

  override begin(request: Omit<HttpRequest, 'body' | 'framing'>): OpenRequest {
    const method = request.method ?? 'GET'
    const headers: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries({ ...this.#headers, ...request.headers })) {
      if (value !== undefined) headers[name.toLowerCase()] = typeof value === 'string' ? value : [...value]
    }
    // A browser and Go end a request that has no body with its headers.
    const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE' && method !== 'OPTIONS'
    const stream = this.session.request(
      { ':method': method, ':path': request.path, ...headers },
      {
        endStream: !hasBody,
        waitForTrailers: hasBody,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
    )
    return openStream(stream)
  }

  /** Begins a request of which even the headers are the test's own, pseudo-headers included. */
  raw(
    headers: Record<string, string>,
    { endStream = true } = {},
  ): OpenRequest & { stream: ClientHttp2Stream } {
    const stream = this.session.request(headers, { endStream })
    return { ...openStream(stream), stream }
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]()
    this.session.destroy()
  }
}

function openStream(stream: ClientHttp2Stream): OpenRequest {
  // Without trailers to wait for, Node ends a body before it resets the stream: no client that dies does that.
  stream.on('wantTrailers', () => stream.sendTrailers({}))
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
  const chunks: Buffer[] = []
  let answer: { status: number; headers: Map<string, string[]> } | null = null
  stream.on('response', (headers, _flags, rawHeaders: string[]) => {
    const grouped = groupHeaders(
      rawHeaders.filter((_, index, all) => !all[index - (index % 2)]!.startsWith(':')),
    )
    answer = { status: Number(headers[':status']), headers: grouped }
  })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', reject)
  let ended = false
  stream.on('end', () => (ended = true))
  stream.on('close', () => {
    // A server that has answered may stop what the client still sends, with "no error" (RFC 9113, 8.1).
    const isWhole = ended && stream.rstCode === constants.NGHTTP2_NO_ERROR
    if (answer === null || !isWhole)
      return reject(new Error(`The stream was reset with code ${stream.rstCode}.`))
    resolve(httpResponse(answer.status, answer.headers, Buffer.concat(chunks)))
  })
  promise.catch(() => {})
  return {
    write: (bytes) =>
      new Promise((written, failed) => {
        stream.write(bytes, (error) => (error ? failed(error) : written()))
      }),
    end: () => void (stream.writableEnded || stream.end()),
    abort: () => stream.close(constants.NGHTTP2_CANCEL),
    response: promise,
  }
}
