/** What a request was answered with; of the body only its size and, for error texts, its beginning are kept. */
export interface WireResponse {
  status: number
  /** Status line and header lines as they came. */
  head: string
  bodyBytes: number
  /** At most the first 512 bytes. */
  bodyStart: string
}

const keptBytes = 512

/** Value of a header, or null. */
export function headerOf(head: string, name: string): string | null {
  return new RegExp(`^${name}:[ \\t]*([^\\r\\n]*)`, 'im').exec(head)?.[1]?.trim() ?? null
}

type State = 'head' | 'sized' | 'chunked'

/**
 * Just enough of HTTP/1.1 (RFC 9112) to know where a response ends, at next to no cost for each byte of a body. One
 * request is under way at a time, so a chunked body ends where the received bytes end with the last chunk.
 */
export class ResponseParser {
  #state: State = 'head'
  #isHead = false
  #head = ''
  #status = 0
  #left = 0
  #bodyBytes = 0
  #bodyStart = ''
  #tail = ''

  /** Prepares for the response of the next request; those to HEAD have no body whatever their headers say. */
  expect(isHead: boolean): void {
    this.#state = 'head'
    this.#isHead = isHead
    this.#head = ''
    this.#bodyBytes = 0
    this.#bodyStart = ''
    this.#tail = ''
  }

  /** Takes received bytes; gives the response when it is complete. */
  push(bytes: Buffer): WireResponse | null {
    if (this.#state !== 'head') return this.#body(bytes)
    const before = this.#head.length
    this.#head += bytes.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n', Math.max(0, before - 3))
    if (end < 0) return null
    const rest = bytes.subarray(end + 4 - before)
    this.#head = this.#head.slice(0, end)
    this.#status = Number(this.#head.slice(9, 12))
    if (this.#status === 100) {
      this.#head = ''
      return rest.length > 0 ? this.push(rest) : null
    }
    return this.#beginBody(rest)
  }

  #beginBody(rest: Buffer): WireResponse | null {
    if (this.#isHead || this.#status === 204 || this.#status === 304) return this.#done()
    const length = headerOf(this.#head, 'content-length')
    this.#state = length === null ? 'chunked' : 'sized'
    this.#left = Number(length)
    if (length === null && headerOf(this.#head, 'transfer-encoding')?.toLowerCase() !== 'chunked') {
      throw new Error(`a response without a length that could be kept alive: ${this.#head}`)
    }
    return rest.length > 0 || this.#left === 0 ? this.#body(rest) : null
  }

  #body(bytes: Buffer): WireResponse | null {
    this.#bodyBytes += bytes.length
    if (this.#bodyStart.length < keptBytes && this.#status >= 400) {
      this.#bodyStart += bytes.toString('latin1', 0, keptBytes)
    }
    if (this.#state === 'sized') {
      this.#left -= bytes.length
      if (this.#left < 0) throw new Error('a response longer than its Content-Length')
      return this.#left === 0 ? this.#done() : null
    }
    this.#tail = (this.#tail + bytes.toString('latin1', Math.max(0, bytes.length - 7))).slice(-7)
    return this.#tail === '\r\n0\r\n\r\n' || this.#tail === '0\r\n\r\n' ? this.#done() : null
  }

  #done(): WireResponse {
    return { status: this.#status, head: this.#head, bodyBytes: this.#bodyBytes, bodyStart: this.#bodyStart }
  }
}
