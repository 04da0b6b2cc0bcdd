// Answers like a registry and stores nothing but sizes. Arguments: the port, and a file with digests and sizes.
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const [, , port, known = ''] = process.argv
const sizes = new Map<string, number>(
  existsSync(known) ? (JSON.parse(readFileSync(known, 'utf8')) as [string, number][]) : [],
)
const uploads = new Map<string, number>()
const piece = Buffer.alloc(4 * 1024 * 1024)
const small = piece.subarray(0, 600)
let lastUpload = 0

async function sizeOfBody(request: IncomingMessage): Promise<number> {
  let size = 0
  for await (const bytes of request as AsyncIterable<Buffer>) size += bytes.length
  return size
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, 'Content-Length': 0 }).end()
}

async function sendBlob(response: ServerResponse, size: number): Promise<void> {
  response.writeHead(200, { 'Content-Length': size })
  for (let left = size; left > 0; left -= piece.length) {
    if (!response.write(piece.subarray(0, left))) {
      await new Promise((resolve) => response.once('drain', resolve))
    }
  }
  response.end()
}

async function upload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  if (request.method === 'POST') {
    return answer(response, 202, { Location: `${url.pathname}${lastUpload++}` })
  }
  const size = (uploads.get(url.pathname) ?? 0) + (await sizeOfBody(request))
  const digest = url.searchParams.get('digest')
  if (request.method === 'PATCH' || digest === null) {
    uploads.set(url.pathname, size)
    return answer(response, 202, { Location: url.pathname })
  }
  uploads.delete(url.pathname)
  sizes.set(digest, size)
  answer(response, 201)
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (url.pathname.includes('/blobs/uploads/')) return await upload(request, response, url)
  if (request.method === 'PUT') {
    await sizeOfBody(request)
    return answer(response, 201)
  }
  const blob = /\/blobs\/(.*)$/.exec(url.pathname)?.[1]
  const size = blob === undefined ? small.length : sizes.get(blob)
  if (size === undefined) return answer(response, 404)
  if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': size }).end()
  else if (blob === undefined) response.writeHead(200, { 'Content-Length': size }).end(small)
  else await sendBlob(response, size)
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) =>
    response.destroy(error instanceof Error ? error : undefined),
  )
})
server.requestTimeout = 0
server.listen(Number(port), '127.0.0.1')
