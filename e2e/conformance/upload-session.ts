import { HttpClient, type HttpResponse, type OpenRequest } from '@openregistry/testkit'
import type { RepositoryRequest } from './repository.ts'

/** The path and query that a `Location` header leads to, whether it is relative or not. */
export function pathOfLocation(response: HttpResponse, http: HttpClient): string {
  const location = response.header('location')
  if (location === null) throw new Error(`An answer ${response.status} without Location.`)
  const url = new URL(location, http.origin)
  return url.pathname + url.search
}

/** An upload session as a client sees it: the newest location is the one to go on with. */
export class UploadSession {
  readonly opened: HttpResponse
  readonly #http: HttpClient
  #location: string

  constructor(http: HttpClient, opened: HttpResponse) {
    this.#http = http
    this.opened = opened
    this.#location = pathOfLocation(opened, http)
  }

  /** Path and query of the session. */
  get location(): string {
    return this.#location
  }

  /** Sends any request to the session. */
  async send(request: RepositoryRequest & { query?: string }): Promise<HttpResponse> {
    const { query, ...rest } = request
    const response = await this.#http.send({ ...rest, path: this.#pathWith(query) })
    if (response.header('location') !== null && response.status !== 201) {
      this.#location = pathOfLocation(response, this.#http)
    }
    return response
  }

  /** Sends a chunk (end-5); `start` is announced in Content-Range. */
  chunk(bytes: Uint8Array, start: number): Promise<HttpResponse> {
    return this.send({ method: 'PATCH', body: bytes, headers: chunkHeaders(bytes, start) })
  }

  /** Sends bytes without saying where they begin (PATCH without Content-Range). */
  stream(body: Uint8Array | AsyncIterable<Uint8Array>, framing: 'length' | 'chunked'): Promise<HttpResponse> {
    return this.send({ method: 'PATCH', body, framing, headers: { 'content-type': octetStream } })
  }

  /** Asks where the session stands (end-13). */
  status(): Promise<HttpResponse> {
    return this.send({})
  }

  /** Closes the session (end-6), with a body or a last chunk if one is given. */
  finish(digest: string, last: { body?: Uint8Array; start?: number } = {}): Promise<HttpResponse> {
    const { body, start } = last
    const query = `digest=${encodeURIComponent(digest)}`
    if (body === undefined) return this.send({ method: 'PUT', query, headers: { 'content-length': '0' } })
    const headers = start === undefined ? { 'content-type': octetStream } : chunkHeaders(body, start)
    return this.send({ method: 'PUT', query, body, headers })
  }

  /** Cancels the session (end-14). */
  cancel(): Promise<HttpResponse> {
    return this.send({ method: 'DELETE', headers: { 'content-length': '0' } })
  }

  /** Begins a request that the test goes on with. */
  begin(method: string, headers: Record<string, string>): OpenRequest {
    return this.#http.begin({ method, path: this.#location, headers })
  }

  #pathWith(query: string | undefined): string {
    if (query === undefined) return this.#location
    return `${this.#location}${this.#location.includes('?') ? '&' : '?'}${query}`
  }
}

const octetStream = 'application/octet-stream'

function chunkHeaders(bytes: Uint8Array, start: number): Record<string, string> {
  return { 'content-type': octetStream, 'content-range': `${start}-${start + bytes.length - 1}` }
}
