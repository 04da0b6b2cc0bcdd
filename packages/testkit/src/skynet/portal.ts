import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { SkynetRegistry } from './registry.ts'

/** What a portal of Skynet has of a file. */
interface Skyfile {
  name: string
  content: Buffer
}

/**
 * A double of a Skynet portal, since there is none any more: the calls of skyd's API that matter to a registry, with its
 * statuses and texts, on a free port of this machine. Content is in memory. What goes wrong on the way is the affair of a
 * `HttpFaultProxy` in front of it.
 */
export class SkynetPortal implements AsyncDisposable {
  /** What it asks for as `Skynet-Api-Key`; null: nothing. */
  apiKey: string | null = null
  /** Whether it lets go what is unpinned; else it says that this is not allowed. */
  deletes = true
  readonly #files = new Map<string, Skyfile>()
  readonly #registry = new SkynetRegistry()
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<SkynetPortal> {
    const portal = new SkynetPortal()
    portal.#server.listen(0, '127.0.0.1')
    await once(portal.#server, 'listening')
    return portal
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The portal does not listen.')
    return `http://127.0.0.1:${address.port}`
  }

  /** Skylinks of all content that it holds. */
  get skylinks(): string[] {
    return [...this.#files.keys()]
  }

  /** Loses some content. */
  lose(skylink: string): void {
    this.#files.delete(skylink)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://portal')
    const call = `${request.method ?? ''} ${pathname}`
    if (this.apiKey !== null && request.headers['skynet-api-key'] !== this.apiKey) {
      return await refuse(request, response, 401, 'authentication failed')
    }
    if (call === 'POST /skynet/skyfile') return await this.#upload(request, response, query)
    if (call === 'GET /skynet/registry') return this.#readEntry(response, query)
    if (call === 'POST /skynet/registry') return await this.#writeEntry(request, response)
    const [, unpinned] = /^POST \/skynet\/unpin\/([\w-]{46})$/.exec(call) ?? []
    if (unpinned !== undefined) return await this.#unpin(request, response, unpinned)
    const [, method, skylink] = /^(GET|HEAD) \/([\w-]{46})$/.exec(call) ?? []
    if (skylink !== undefined) return this.#download(request, response, skylink, method === 'HEAD')
    await refuse(request, response, 404, 'no such call')
  }

  async #upload(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const name = query.get('filename') ?? ''
    const content = fileOf(request.headers['content-type'] ?? '', await buffer(request))
    if (content === null || name === '') return fail(response, 400, 'unable to parse the upload')
    // A skylink is 16 bits about the layout, and a hash of the metadata and the content.
    const hash = createHash('sha256').update(`${name}\n`).update(content).digest()
    const skylink = Buffer.concat([Buffer.from([1, 0]), hash]).toString('base64url')
    if (query.get('dryrun') !== 'true') this.#files.set(skylink, { name, content })
    succeed(response, { skylink, merkleroot: hash.toString('hex'), bitfield: 1 })
  }

  #download(request: IncomingMessage, response: ServerResponse, skylink: string, isHead: boolean): void {
    const file = this.#files.get(skylink)
    if (file === undefined) return fail(response, 404, 'failed to fetch skylink: root not found')
    const { content, name } = file
    const headers = {
      'Accept-Ranges': 'bytes',
      'Content-Disposition': `inline; filename="${name}"`,
      'Skynet-Skylink': skylink,
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined || isHead) {
      response.writeHead(200, { ...headers, 'Content-Length': content.length })
      return void response.end(isHead ? undefined : content)
    }
    if (Number(first) >= content.length) return fail(response, 416, 'invalid range')
    const part = content.subarray(Number(first), Number(last) + 1)
    response.writeHead(206, {
      ...headers,
      'Content-Length': part.length,
      'Content-Range': `bytes ${first}-${Number(first) + part.length - 1}/${content.length}`,
    })
    response.end(part)
  }

  async #unpin(request: IncomingMessage, response: ServerResponse, skylink: string): Promise<void> {
    if (!this.deletes) return await refuse(request, response, 403, 'unpinning is not allowed')
    await buffer(request)
    if (!this.#files.delete(skylink)) return fail(response, 404, 'skylink is not pinned')
    response.writeHead(204).end()
  }

  #readEntry(response: ServerResponse, query: URLSearchParams): void {
    const entry = this.#registry.get(query.get('publickey') ?? '', query.get('datakey') ?? '')
    if (entry === null) return fail(response, 404, "couldn't find entry in the registry")
    succeed(response, entry)
  }

  async #writeEntry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = JSON.parse((await buffer(request)).toString()) as Parameters<SkynetRegistry['put']>[0]
    const reason = this.#registry.put(entry)
    if (reason !== null) return fail(response, 400, `Unable to update the registry: ${reason}`)
    response.writeHead(204).end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

function succeed(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

function fail(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }))
}

/** Answers after the body has come, so that whoever sends it sees the answer. */
async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): Promise<void> {
  await buffer(request)
  fail(response, status, message)
}

/** The only file of a form; null when it is none, or has no end. */
function fileOf(type: string, body: Buffer): Buffer | null {
  const [, boundary] = /^multipart\/form-data; boundary="?([^";]+)"?$/.exec(type) ?? []
  if (
    boundary === undefined ||
    !body.subarray(0, boundary.length + 4).equals(Buffer.from(`--${boundary}\r\n`))
  )
    return null
  const head = body.indexOf('\r\n\r\n')
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  return head < 0 || end < head + 4 ? null : body.subarray(head + 4, end)
}
