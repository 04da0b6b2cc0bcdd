import { randomUUID } from 'node:crypto'

/**
 * A form with one file in it (RFC 7578), as the APIs of IPFS and Skynet take content.
 * @param filename in characters that need no escape.
 */
export function multipart(
  content: AsyncIterable<Uint8Array>,
  filename = 'object.car',
): {
  headers: Record<string, string>
  body: AsyncIterable<Uint8Array>
} {
  const boundary = `openregistry-${randomUUID()}`
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: framed(content, boundary, filename),
  }
}

async function* framed(
  content: AsyncIterable<Uint8Array>,
  boundary: string,
  filename: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder()
  yield encoder.encode(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  )
  yield* content
  yield encoder.encode(`\r\n--${boundary}--\r\n`)
}
