import { errorOfAnswer, errorOfFetch, RegistryClientError } from './client-error.ts'

/** Where a registry is, and who asks. */
export interface ConnectionOptions {
  /** For example `http://127.0.0.1:5000`. */
  server: string
  /** Basic credentials, sent with every request to this server. */
  credentials?: { username: string; password: string } | undefined
  /** Another `fetch` than the global one. */
  fetch?: typeof fetch
}

/** A body to send; a stream is sent as it comes. */
export type RequestBody = string | Uint8Array | Blob | ReadableStream<Uint8Array>

/** One request. */
export interface RequestOptions {
  headers?: Record<string, string>
  body?: RequestBody
  signal?: AbortSignal | undefined
  /** Statuses that are answers, not errors, though they are not 2xx. */
  accept?: readonly number[]
}

/** Sends requests to one registry. */
export interface Connection {
  /** The server's address without a slash at the end. */
  readonly server: string
  /**
   * Sends a request and returns the answer once its headers are there.
   * @param target a path of the server, or a whole address as a `Location` gave it
   * @throws RegistryClientError for statuses of 400 and above, and when there is no answer.
   */
  send(method: string, target: string, options?: RequestOptions): Promise<Response>
  /** {@link send}, and the JSON of the answer. */
  sendForJson<T>(method: string, target: string, options?: RequestOptions): Promise<T>
}

/** Opens a connection; nothing is sent yet. */
export function connect({ server: given, credentials, fetch: ask = fetch }: ConnectionOptions): Connection {
  const server = given.replace(/\/+$/, '')
  const { origin } = new URL(server)
  const authorization = credentials === undefined ? null : basic(credentials)

  async function send(method: string, target: string, options: RequestOptions = {}): Promise<Response> {
    const url = new URL(target, `${server}/`)
    const headers = new Headers(options.headers)
    // A Location may lead to another host; our password may not.
    if (authorization !== null && url.origin === origin) headers.set('Authorization', authorization)
    let response: Response
    try {
      response = await ask(url, {
        method,
        headers,
        signal: options.signal ?? null,
        ...(options.body === undefined
          ? {}
          : { body: options.body as NonNullable<RequestInit['body']>, duplex: 'half' as const }),
      })
    } catch (error) {
      throw errorOfFetch(error, server)
    }
    if (response.status < 400 || options.accept?.includes(response.status)) return response
    throw await errorOfAnswer(response, method)
  }

  async function sendForJson<T>(method: string, target: string, options?: RequestOptions): Promise<T> {
    const response = await send(method, target, options)
    try {
      return (await response.json()) as T
    } catch (cause) {
      const message = `${server} answered ${target} with something else than JSON. Is it an OpenRegistry?`
      throw new RegistryClientError(message, { status: response.status, code: 'NOT_A_REGISTRY', cause })
    }
  }

  return { server, send, sendForJson }
}

/** The header of Basic credentials in UTF-8 (RFC 7617). */
function basic({ username, password }: { username: string; password: string }): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`)
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`
}
