import { HttpFaultProxy, type HttpFault, type ProxiedRequest } from '../http/fault-proxy.ts'

/** What goes wrong with one request. */
export type S3Fault =
  /** It is refused with this status and code of S3. */
  | { kind: 'refuse'; status: number; code: string }
  /** It is answered as if it had been done, with an ETag; nothing was. */
  | { kind: 'pretend' }
  /** It is answered with 200 and an error in the body, as Amazon may do at the end of an upload. */
  | { kind: 'error in body' }
  | Exclude<HttpFault, { kind: 'refuse' }>

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
  readonly #proxy: HttpFaultProxy

  private constructor(proxy: HttpFaultProxy) {
    this.#proxy = proxy
    proxy.fault = (request) => this.#meet(request)
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: string): Promise<S3FaultProxy> {
    return new S3FaultProxy(await HttpFaultProxy.start(target))
  }

  get endpoint(): string {
    return this.#proxy.url
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

  #meet(request: ProxiedRequest): HttpFault | null {
    const operation = operationOf(request)
    const path = `${request.path}?${request.query.toString()}`
    const asked = { operation, method: request.method, path, count: this.count(operation) + 1 }
    this.requests.push(asked)
    const fault = this.fault?.(asked) ?? null
    if (fault?.kind === 'pretend') return pretence(operation)
    if (fault?.kind === 'refuse') return refusal(fault.status, fault.code)
    if (fault?.kind === 'error in body') return refusal(200, 'InternalError')
    return fault
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]()
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
function operationOf({ method, path, query }: ProxiedRequest): string {
  const isObject = path.split('/').filter((part) => part !== '').length > 1
  if (isObject) return operations[method]?.[query.has('uploadId') ? 1 : 0] ?? method
  if (method === 'HEAD') return 'HeadBucket'
  return query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2'
}

function pretence(operation: string): HttpFault {
  const isEnd = operation === 'CompleteMultipartUpload'
  const done = `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>`
  return { kind: 'refuse', status: 200, headers: { ETag: etag }, body: isEnd ? done : '' }
}

function refusal(status: number, code: string): HttpFault {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Told to.</Message></Error>`
  return { kind: 'refuse', status, headers: { 'Content-Type': 'application/xml' }, body }
}
