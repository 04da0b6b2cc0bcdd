import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'

/** An answer without its body. */
export interface Answer {
  status: number
  headers: IncomingMessage['headers']
}

/** An upload session, request by request: for what no client can be asked to do. */
export class Upload {
  readonly #url: string
  #location: string

  private constructor(url: string, location: string) {
    this.#url = url
    this.#location = location
  }

  /** Opens a session. @param url of the registry */
  static async open(url: string, repository: string): Promise<Upload> {
    const upload = new Upload(url, `/v2/${repository}/blobs/uploads/`)
    await upload.#send('POST', {})
    return upload
  }

  /** Sends a chunk. @param from its place, for `Content-Range` */
  async patch(bytes: Uint8Array, from: number): Promise<Answer> {
    const range = `${from}-${from + bytes.length - 1}`
    return this.#send('PATCH', { 'Content-Range': range, 'Content-Length': bytes.length }, bytes)
  }

  /** Announces a chunk, sends only so many bytes of it, and breaks the connection. */
  async patchAndBreak(bytes: Uint8Array, sent: number): Promise<void> {
    const headers = { 'Content-Length': bytes.length, 'Content-Type': 'application/octet-stream' }
    const call = this.#request('PATCH', headers)
    const failed = once(call, 'error').catch(() => [])
    await new Promise<void>((resolve, reject) => {
      call.write(bytes.subarray(0, sent), (error) => (error ? reject(error) : resolve()))
    })
    call.destroy(new Error('broken on purpose'))
    await failed
  }

  /** How many bytes the registry has, by its own word. */
  async offset(): Promise<number> {
    const { status, headers } = await this.#send('GET', {})
    if (status !== 204) throw new Error(`The status of the upload is ${status}.`)
    const end = Number(/^0-(\d+)$/.exec(headers.range ?? '')?.[1])
    return end === 0 ? 0 : end + 1
  }

  /** Ends the session. */
  async finish(digest: string): Promise<Answer> {
    const separator = this.#location.includes('?') ? '&' : '?'
    this.#location += `${separator}digest=${digest}`
    return this.#send('PUT', { 'Content-Length': 0 })
  }

  async #send(method: string, headers: RequestOptions['headers'], body?: Uint8Array): Promise<Answer> {
    const call = this.#request(method, headers)
    call.end(body)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    this.#location = response.headers.location ?? this.#location
    return { status: response.statusCode ?? 0, headers: response.headers }
  }

  #request(method: string, headers: RequestOptions['headers']): ClientRequest {
    const url = new URL(this.#location, this.#url)
    return request(url, { method, agent: false, headers: headers ?? {} })
  }
}
