import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { PeerUnreachable } from './peer-fault.ts'

/** How to reach a service of others. */
export interface HttpPeerOptions {
  /** Scheme, host and port. */
  url: string
  /** Value of the header `Authorization`, or null. */
  authorization: string | null
  /** Milliseconds that it may stay silent while something is awaited from it. */
  timeout: number
  /** Connections at most; further requests wait for one. */
  connections: number
}

/** A request. */
export interface HttpAsk {
  method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** With the query. */
  path: string
  headers?: Readonly<Record<string, string>>
  /** Sent in chunks of the transfer coding, each let go once the system has taken it. */
  body?: AsyncIterable<Uint8Array>
  /**
   * Cuts the request off while its body is being sent. Once all was sent the answer is waited for: only it says what the
   * other side made of it.
   */
  signal?: AbortSignal
  /** In place of that of the peer. */
  timeout?: number
  /** Milliseconds that the beginning of the answer may take longer than that, for work whose duration is known. */
  longer?: number
}

/** The beginning of an answer. Whoever asked reads {@link chunks} to the end, or discards it. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The body; ends only if it came whole. Can be iterated once. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** The trailers, once the body has ended. */
  trailer(name: string): string | null
  discard(): void
}

/**
 * A service of others over HTTP, through a pool of connections. Built on `node:http`, not on `fetch`, which hides trailers:
 * Kubo and IPFS Cluster report there what went wrong after the beginning of an answer.
 */
export class HttpPeer {
  readonly url: string
  readonly #options: HttpPeerOptions
  readonly #agent: http.Agent
  readonly #request: typeof http.request
  readonly #hostHeader: { host?: string }

  constructor(options: HttpPeerOptions) {
    this.url = options.url
    const { hostname, port } = new URL(options.url)
    // Under this name a gateway of Kubo answers with redirects to a host name for each CID.
    this.#hostHeader =
      hostname === 'localhost' ? { host: port === '' ? '127.0.0.1' : `127.0.0.1:${port}` } : {}
    this.#options = options
    const { Agent, request } = options.url.startsWith('https:') ? https : http
    this.#request = request
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections, maxFreeSockets: 8 })
  }

  /**
   * Sends a request and waits for the beginning of its answer.
   * @throws PeerUnreachable when there is none in time; the reason of the signal; whatever `body` throws.
   */
  async ask({ method, path, headers, body, signal, timeout, longer = 0 }: HttpAsk): Promise<HttpAnswer> {
    signal?.throwIfAborted()
    const { authorization } = this.#options
    const request = this.#request(`${this.url}${path}`, {
      method,
      agent: this.#agent,
      headers: {
        // Kubo takes whoever looks like a browser for a foreign web page.
        'user-agent': 'openregistry',
        accept: '*/*',
        ...this.#hostHeader,
        ...(authorization === null ? {} : { authorization }),
        ...headers,
      },
    })
    const exchange = new Exchange(request, this.url, timeout ?? this.#options.timeout)
    const onAbort = (): void => void request.destroy()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (body !== undefined) await exchange.send(body)
      else request.end()
    } catch (error) {
      request.destroy()
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    return exchange.answer(longer)
  }

  /** Ends all connections. */
  close(): void {
    this.#agent.destroy()
  }
}

/** One request and its answer, which end when the other side is silent for too long. */
class Exchange {
  readonly #request: http.ClientRequest
  readonly #url: string
  readonly #timeout: number
  readonly #response: Promise<IncomingMessage>
  /** Whether there is an answer, which may come before everything was sent. */
  #answered = false
  #failure: Error | null = null

  constructor(request: http.ClientRequest, url: string, timeout: number) {
    this.#request = request
    this.#url = url
    this.#timeout = timeout
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    request.once('response', (response: IncomingMessage) => {
      this.#answered = true
      resolve(response)
    })
    request.on('error', (error) => {
      this.#failure ??= error
      reject(error)
    })
    promise.catch(() => undefined)
    this.#response = promise
  }

  /** Sends a body. Stops early when the answer is there already: whatever is missing is not wanted then. */
  async send(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of body) {
      if (this.#answered) break
      if (chunk.length > 0) await this.#patiently(this.#write(chunk))
    }
    if (this.#answered) return
    this.#request.end()
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#request.write(chunk, (error) => (error == null ? resolve() : reject(error)))
    // A refusal may come with the end of the connection, and says more than that.
    await Promise.race([promise, this.#response]).catch((error: unknown) => {
      if (!this.#answered) throw error
    })
    // The callback of a write does not always get the error that ended the connection.
    if (!this.#answered && this.#failure !== null) throw this.#failure
  }

  async answer(longer: number): Promise<HttpAnswer> {
    const response = await this.#patiently(this.#response, this.#timeout + longer)
    // Whoever reads it is told by the iterator; without anybody it would be nobody's error, which ends the process.
    response.on('error', () => undefined)
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      chunks: this.#read(response),
      trailer: (name) => response.trailers[name.toLowerCase()] ?? null,
      discard: () => void this.#request.destroy(),
    }
  }

  async *#read(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
    let whole = false
    try {
      for (;;) {
        const next = await this.#patiently(chunks.next())
        if (next.done === true) break
        yield next.value
      }
      if (!response.complete) throw new PeerUnreachable(`${this.#url}: the answer broke off`)
      whole = this.#request.writableEnded
    } finally {
      // A connection on which something is left to send or to read is of no use to the next request.
      if (!whole) this.#request.destroy()
    }
  }

  /** Waits for the other side, but not for ever. */
  async #patiently<T>(waiting: Promise<T>, timeout = this.#timeout): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const silent = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const silence = new PeerUnreachable(`${this.#url}: no answer for ${Math.round(timeout)} ms`)
        reject(silence)
        this.#request.destroy(silence)
      }, timeout)
    })
    try {
      return await Promise.race([waiting, silent])
    } catch (error) {
      if (error instanceof PeerUnreachable) throw error
      throw new PeerUnreachable(`${this.#url}: ${reasonOf(error)}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A name with several addresses fails with one error for each, and no text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
