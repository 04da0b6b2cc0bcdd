import type { Content, HttpResponse } from '@openregistry/testkit'
import { expect } from 'vitest'
import type { Repository } from './repository.ts'
import { UploadSession } from './upload-session.ts'

/** A way to push a blob that the specification has. */
export interface PushWay {
  name: string
  /**
   * Pushes bytes, and claims that this is their digest.
   * @param hint query of the first request, for example `digest-algorithm=sha512`, or empty.
   * @returns the last answer, whatever it is; everything before it has to succeed.
   */
  push(repository: Repository, bytes: Buffer, digest: string, hint: string): Promise<HttpResponse>
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  const size = Math.ceil(bytes.length / 5) + 1
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

const thirdOf = (bytes: Buffer): number => Math.ceil(bytes.length / 3)

const open = (repository: Repository, hint: string): Promise<UploadSession> =>
  repository.openUpload(hint === '' ? '' : `?${hint}`)

/** Sends chunks in order; the rest from `until` on is not sent. */
async function sendChunks(upload: UploadSession, bytes: Buffer, size: number, until: number): Promise<void> {
  for (let start = 0; start < until; start += size) {
    const chunk = bytes.subarray(start, Math.min(start + size, until))
    const response = await upload.chunk(chunk, start)
    expect(response.status, response.text()).toBe(202)
    expect(response.header('range')).toBe(`0-${start + chunk.length - 1}`)
  }
}

/** Sends a single POST with the whole blob (end-4b). */
export function postBlob(
  repository: Repository,
  bytes: Buffer,
  digest: string,
  hint = '',
): Promise<HttpResponse> {
  const query = `digest=${encodeURIComponent(digest)}${hint === '' ? '' : `&${hint}`}`
  return repository.send(`blobs/uploads/?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  })
}

/** Every way to push a blob but mounting it. */
export const pushWays: readonly PushWay[] = [
  {
    name: 'POST then PUT',
    push: async (repository, bytes, digest, hint) =>
      (await open(repository, hint)).finish(digest, { body: bytes }),
  },
  {
    name: 'single POST',
    async push(repository, bytes, digest, hint) {
      const response = await postBlob(repository, bytes, digest, hint)
      // A registry may answer with a session instead, and the client goes on with it.
      if (response.status !== 202) return response
      return new UploadSession(repository.http, response).finish(digest, { body: bytes })
    },
  },
  {
    name: 'streamed PATCH of known length',
    async push(repository, bytes, digest, hint) {
      const upload = await open(repository, hint)
      expect((await upload.stream(bytes, 'length')).status).toBe(202)
      return upload.finish(digest)
    },
  },
  {
    name: 'streamed PATCH with chunked transfer encoding',
    async push(repository, bytes, digest, hint) {
      const upload = await open(repository, hint)
      expect((await upload.stream(inPieces(bytes), 'chunked')).status).toBe(202)
      return upload.finish(digest)
    },
  },
  {
    name: 'chunks and an empty PUT',
    async push(repository, bytes, digest, hint) {
      const upload = await open(repository, hint)
      await sendChunks(upload, bytes, thirdOf(bytes), bytes.length)
      return upload.finish(digest)
    },
  },
  {
    name: 'chunks with the last one in the PUT',
    async push(repository, bytes, digest, hint) {
      const upload = await open(repository, hint)
      const last = bytes.length - (bytes.length % thirdOf(bytes) || thirdOf(bytes))
      await sendChunks(upload, bytes, thirdOf(bytes), last)
      // A range cannot name no byte at all.
      return bytes.length === 0
        ? upload.finish(digest)
        : upload.finish(digest, { body: bytes.subarray(last), start: last })
    },
  },
]

/** Expects that a push succeeded, and that what its Location names can be pulled. */
export async function expectPushed(
  repository: Repository,
  response: HttpResponse,
  blob: Content,
): Promise<void> {
  expect(response.status, response.text()).toBe(201)
  expect(response.header('docker-content-digest')).toBe(blob.digest)
  const location = new URL(response.header('location') ?? 'missing:', repository.http.origin)
  const pulled = await repository.http.send({ path: location.pathname + location.search })
  expect(pulled.status).toBe(200)
  expect(pulled.body.equals(blob.bytes)).toBe(true)
}
