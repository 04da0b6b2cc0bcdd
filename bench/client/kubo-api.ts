import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A file for Kubo, in pieces of one or more buffers. */
export interface KuboFile {
  name: string
  pieces: Iterable<readonly Buffer[]> | AsyncIterable<readonly Buffer[]>
}

/** The files as a form, which is how the API takes them. */
async function* formOf(
  boundary: string,
  files: readonly KuboFile[],
): AsyncGenerator<Buffer, void, undefined> {
  for (const { name, pieces } of files) {
    const head = `Content-Disposition: form-data; name="file"; filename="${name}"`
    yield Buffer.from(`--${boundary}\r\n${head}\r\nContent-Type: application/octet-stream\r\n\r\n`)
    for await (const buffers of pieces) yield* buffers
    yield Buffer.from('\r\n')
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

/**
 * Sends files to a command of the API of Kubo.
 *
 * @param port of that API on 127.0.0.1
 * @param command with its query
 * @returns what it answered
 * @throws Error with its words unless it is a success
 */
export async function callKubo(port: number, command: string, files: readonly KuboFile[]): Promise<string> {
  const boundary = randomUUID()
  const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}` }
  const sent = request({ host: '127.0.0.1', port, method: 'POST', path: `/api/v0/${command}`, headers })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  sent.on('error', reject)
  sent.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => (text += part))
    response.on('error', reject)
    response.on('end', () => {
      const failure = response.trailers['x-stream-error']
      if (response.statusCode === 200 && failure === undefined) resolve(text)
      else reject(new Error(`Kubo, ${command}: ${failure ?? text}`))
    })
  })
  const [answer] = await Promise.all([promise, pipeline(Readable.from(formOf(boundary, files)), sent)])
  return answer
}
