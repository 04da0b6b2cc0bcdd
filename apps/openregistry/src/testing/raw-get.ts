import { request, type IncomingHttpHeaders } from 'node:http'

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  announced: number | null
  /** False when the connection broke before the end of the body. */
  complete: boolean
}

/** Asks on a connection of its own, follows nothing, and tells a broken answer from a whole one. */
export function rawGet(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      const end = (complete: boolean) => {
        const { statusCode: status = 0, headers: got } = response
        const announced = got['content-length'] === undefined ? null : Number(got['content-length'])
        resolve({ status, headers: got, body: Buffer.concat(chunks), announced, complete })
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => end(response.complete))
      response.on('error', () => end(false))
    })
    asked.on('error', reject)
    asked.end()
  })
}
