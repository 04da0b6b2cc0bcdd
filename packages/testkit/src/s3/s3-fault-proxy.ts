import { once } from 'node:events'
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'

/** What goes wrong with one request. */
export type S3Fault =
  /** It is refused with this status and code of S3. */
  | { kind: 'refuse'; status: number; code: string }
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
  /** It is answered as if it had been done, with an ETag; nothing was. */
  | { kind: 'pretend' }
  /** It is answered with 200 and an error in the body, as Amazon may do at the end of an upload. */
  | { kind: 'error in body' }
  /** It is passed on without this header. */
  | { kind: 'without header'; name: string }
  /** Its answer has more headers. */
  | { kind: 'more headers'; headers: Readonly<Record<string, string>> }
  /** It is never answered. */
  | { kind: 'silence' }

/** A request as it came. */
export interface S3Request {
  /** What it asks for, by the name in the documentation of S3. */
  operation: string
  method: string
  /** With the query. */
  path: string
  /** Of requests of this operation, from 1. */
  count: number
}

/** A way to an S3 server on which requests meet faults. Signatures stay good: nothing that is signed is changed. */
export class S3FaultProxy implements AsyncDisposable {
  /** Says what happens to a request; null: nothing. Set and cleared by tests at any time. */
  fault: ((request: S3Request) => S3Fault | null) | null = null
  /** Everything that was asked since the last {@link reset}. */
  readonly requests: S3Request[] = []
  readonly #target: URL
  readonly #server: Server

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((request, response) => void this.#pass(request, response))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: string): Promise<S3FaultProxy> {
    const proxy = new S3FaultProxy(new URL(target))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get endpoint(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.')
    return `http://127.0.0.1:${address.port}`
  }

  /** No more faults, and nothing was asked. */
  reset(): void {
    this.fault = null
    this.requests.length = 0
  }

  /** How often an operation was asked for. */
  count(operation: string): number {
    return this.requests.filter((request) => request.operation === operation).length
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = operationOf(request)
    const { method = '', url: path = '' } = request
    const asked = { operation, method, path, count: this.count(operation) + 1 }
    this.requests.push(asked)
    const fault = this.fault?.(asked) ?? null
    const { socket } = request
    const cut = (): void => void socket.destroy()
    request.on('error', cut)
    response.on('error', cut)
    if (fault?.kind === 'silence') return void request.resume()
    if (fault?.kind === 'refuse' || fault?.kind === 'pretend' || fault?.kind === 'error in body') {
      // Whoever leaves in the middle gets no answer.
      const isWhole = await drained(request).then(
        () => true,
        () => false,
      )
      if (!isWhole) return cut()
      return answerInPlace(response, operation, fault)
    }
    const onward = send({ ...this.#address(), method, path, headers: headersOf(request, fault) })
    onward.on('error', cut)
    response.on('close', () => onward.destroy())
    onward.on('response', (answer) => void giveBack(answer, response, fault).catch(cut))
    await forward(request, onward, fault?.kind === 'cut request' ? fault.after : Infinity).catch(() => {
      cut()
      onward.destroy()
    })
  }

  #address(): { host: string; port: string } {
    return { host: this.#target.hostname, port: this.#target.port }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

const etag = '"0123456789abcdef0123456789abcdef"'

/** Operations on objects, by method: the first on the object itself, the second within an upload. */
const operations: Readonly<Record<string, readonly [string, string]>> = {
  GET: ['GetObject', 'ListParts'],
  HEAD: ['HeadObject', 'HeadObject'],
  PUT: ['PutObject', 'UploadPart'],
  POST: ['CreateMultipartUpload', 'CompleteMultipartUpload'],
  DELETE: ['DeleteObject', 'AbortMultipartUpload'],
}

/** Which operation of S3 a request is, of those that the registry uses. */
function operationOf({ method = '', url = '/' }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const isObject = pathname.split('/').filter((part) => part !== '').length > 1
  if (isObject) return operations[method]?.[searchParams.has('uploadId') ? 1 : 0] ?? method
  if (method === 'HEAD') return 'HeadBucket'
  return searchParams.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2'
}

function headersOf({ headers }: IncomingMessage, fault: S3Fault | null): NodeJS.Dict<string | string[]> {
  if (fault?.kind !== 'without header') return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== fault.name))
}

async function drained(request: IncomingMessage): Promise<void> {
  for await (const chunk of request) void chunk
}

/** Answers in place of the server. */
function answerInPlace(
  response: ServerResponse,
  operation: string,
  fault: Extract<S3Fault, { kind: 'refuse' | 'pretend' | 'error in body' }>,
): void {
  if (fault.kind === 'pretend') {
    const isEnd = operation === 'CompleteMultipartUpload'
    const done = `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`
    response.writeHead(200, { ETag: etag }).end(isEnd ? done : '')
    return
  }
  const { status, code } = fault.kind === 'refuse' ? fault : { status: 200, code: 'InternalError' }
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Told to.</Message></Error>`
  response.writeHead(status, { 'Content-Type': 'application/xml' }).end(body)
}

/** Passes a body on. @throws Error when so many bytes have come. */
async function forward(
  request: IncomingMessage,
  onward: ReturnType<typeof send>,
  most: number,
): Promise<void> {
  let sent = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sent += chunk.length
    if (sent > most) throw new Error('cut')
    if (!onward.write(chunk)) await once(onward, 'drain')
  }
  onward.end()
}

/** Passes an answer on. @throws Error when the connection is to break. */
async function giveBack(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: S3Fault | null,
): Promise<void> {
  const headers = { ...answer.headers, ...(fault?.kind === 'more headers' ? fault.headers : {}) }
  const most = fault?.kind === 'cut answer' ? fault.after : Infinity
  let end = Infinity
  if (fault?.kind === 'short') {
    end = Number(headers['content-length']) - fault.by
    headers['content-length'] = String(end)
  }
  if (fault?.kind === 'lose answer') {
    await drained(answer)
    throw new Error('lost')
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
  response.end()
}
