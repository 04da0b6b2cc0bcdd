import type { Digest } from '@openregistry/oci'
import {
  HttpClient,
  contentOf,
  descriptorOf,
  imageManifest,
  type Content,
  type Random,
} from '@openregistry/testkit'
import type { Ledger } from './ledger.ts'

/** One client that pushes images one after the other, by every way that there is. */
export interface PusherOptions {
  origin: string
  repository: string
  random: Random
  ledger: Ledger
  /** Ends the pusher between two images. */
  signal: AbortSignal
}

/** A failure that is not ours: the server was killed under the request. */
class ConnectionLost extends Error {}

/**
 * Pushes until the signal or until the server is gone.
 * @throws Error when the registry answers anything but success: with nothing but kills going on, that is a fault of ours.
 */
export async function push({ origin, repository, random, ledger, signal }: PusherOptions): Promise<void> {
  using client = new HttpClient(origin)
  try {
    while (!signal.aborted) await pushImage(client, repository, random, ledger)
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
  }
}

async function pushImage(
  client: HttpClient,
  repository: string,
  random: Random,
  ledger: Ledger,
): Promise<void> {
  const blobs: Content[] = []
  for (let count = random.integer(1, 3); count > 0; count--) {
    const largest = random.pick([200, 16_384, 16_385, 300_000, 2_500_000])
    const blob = contentOf(random.bytes(random.integer(0, largest)))
    await random.pick([pushWhole, pushPostPut, pushStream, pushChunks])(client, repository, blob, random)
    ledger.blob(repository, blob.digest)
    blobs.push(blob)
  }
  const [config, ...layers] = blobs.map((blob) => descriptorOf(blob))
  if (config === undefined) return
  const manifest = imageManifest({ config, layers, annotations: { id: random.word(16) } })
  const tag = `t${random.integer(0, 4)}`
  ledger.attempt(repository, tag, manifest.digest)
  const path = `/v2/${repository}/manifests/${tag}`
  const headers = { 'content-type': manifest.mediaType }
  await send(client, { method: 'PUT', path, headers, body: manifest.bytes }, 201)
  ledger.manifest(repository, tag, manifest.digest)
}

type Push = (client: HttpClient, repository: string, blob: Content, random: Random) => Promise<void>

const pushWhole: Push = async (client, repository, { bytes, digest }) => {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  await send(client, { method: 'POST', path, body: bytes }, bytes.length === 0 ? [201, 202] : 201)
  if (bytes.length === 0)
    await pushPostPut(client, repository, { bytes, digest } as Content, undefined as never)
}

const pushPostPut: Push = async (client, repository, { bytes, digest }) => {
  const location = await begin(client, repository)
  await close(client, location, digest, bytes)
}

const pushStream: Push = async (client, repository, { bytes, digest }) => {
  const location = await begin(client, repository)
  await send(client, { method: 'PATCH', path: location, body: bytes, framing: 'chunked' }, 202)
  await close(client, location, digest)
}

const pushChunks: Push = async (client, repository, { bytes, digest }, random) => {
  const location = await begin(client, repository)
  const size = Math.max(1, Math.ceil(bytes.length / random.integer(2, 4)))
  for (let start = 0; start < bytes.length; start += size) {
    const body = bytes.subarray(start, start + size)
    const headers = { 'content-range': `${start}-${start + body.length - 1}` }
    await send(client, { method: 'PATCH', path: location, headers, body }, 202)
  }
  await close(client, location, digest)
}

async function begin(client: HttpClient, repository: string): Promise<string> {
  const { header } = await send(client, { method: 'POST', path: `/v2/${repository}/blobs/uploads/` }, 202)
  return header('location') ?? ''
}

async function close(client: HttpClient, location: string, digest: Digest, body?: Uint8Array): Promise<void> {
  const path = `${location}?digest=${digest}`
  await send(client, { method: 'PUT', path, ...(body === undefined ? {} : { body }) }, 201)
}

async function send(
  client: HttpClient,
  request: Parameters<HttpClient['send']>[0],
  expected: number | readonly number[],
): ReturnType<HttpClient['send']> {
  const response = await client.send(request).catch((cause: unknown) => {
    throw new ConnectionLost('The server is gone.', { cause })
  })
  if ([expected].flat().includes(response.status)) return response
  throw new Error(
    `${request.method} ${request.path} was answered with ${response.status}: ${response.text()}`,
  )
}
