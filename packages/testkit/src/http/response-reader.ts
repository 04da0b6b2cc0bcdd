import { groupHeaders, httpResponse, type HttpResponse } from './http-response.ts'

/** Where a body ends: after this many bytes, by its chunks, or with the connection. */
type BodyEnd = number | 'chunked' | 'close'

interface Head {
  status: number
  headers: Map<string, string[]>
  /** Length of the head itself, the empty line included. */
  length: number
}

/** Reads answers of HTTP/1.1 from the bytes of a connection, strictly: what it cannot read is an error. */
export class ResponseReader {
  #bytes = Buffer.alloc(0)
  #ended = false

  /** More bytes of the connection. */
  add(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
  }

  /** The connection has ended. */
  end(): void {
    this.#ended = true
  }

  /**
   * The next whole answer (1xx ones are passed over), undefined while it is not there yet, null when the connection
   * ended before one began.
   * @throws Error when the connection ended within an answer, or it is no HTTP/1.1.
   */
  next(options: { toHead?: boolean } = {}): HttpResponse | null | undefined {
    const head = this.#head()
    if (head === undefined) {
      if (this.#ended && this.#bytes.length > 0) throw new Error(`Cut off: ${this.#bytes.toString('latin1')}`)
      return this.#ended ? null : undefined
    }
    if (head.status < 200) {
      this.#bytes = this.#bytes.subarray(head.length)
      return this.next(options)
    }
    const body = this.#body(head, options.toHead === true ? 0 : bodyEnd(head))
    if (body !== undefined) return httpResponse(head.status, head.headers, body)
    if (this.#ended) throw new Error('The connection ended within a body.')
    return undefined
  }

  #head(): Head | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [statusLine = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n')
    const status = /^HTTP\/1\.1 (\d{3})( |$)/.exec(statusLine)?.[1]
    if (status === undefined) throw new Error(`Not a status line: ${statusLine}`)
    const raw = lines.flatMap((line) => {
      const colon = line.indexOf(':')
      if (colon < 1) throw new Error(`Not a header: ${line}`)
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
    return { status: Number(status), headers: groupHeaders(raw), length: end + 4 }
  }

  #body(head: Head, end: BodyEnd): Buffer | undefined {
    if (end === 'chunked') return this.#chunks(head.length)
    if (end === 'close') return this.#ended ? this.#take(head.length, this.#bytes.length) : undefined
    return this.#bytes.length < head.length + end ? undefined : this.#take(head.length, head.length + end)
  }

  #take(start: number, end: number): Buffer {
    const body = this.#bytes.subarray(start, end)
    this.#bytes = this.#bytes.subarray(end)
    return body
  }

  #chunks(start: number): Buffer | undefined {
    const chunks: Buffer[] = []
    for (let position = start; ;) {
      const lineEnd = this.#bytes.indexOf('\r\n', position)
      if (lineEnd === -1) return undefined
      const size = Number.parseInt(this.#bytes.toString('latin1', position, lineEnd), 16)
      const next = lineEnd + 2 + size + 2
      if (this.#bytes.length < next) return undefined
      if (size === 0) {
        this.#bytes = this.#bytes.subarray(next)
        return Buffer.concat(chunks)
      }
      chunks.push(this.#bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
      position = next
    }
  }
}

function bodyEnd({ status, headers }: Head): BodyEnd {
  if (status === 204 || status === 304) return 0
  if (headers.get('transfer-encoding')?.[0] === 'chunked') return 'chunked'
  const length = headers.get('content-length')?.[0]
  return length === undefined ? 'close' : Number(length)
}
