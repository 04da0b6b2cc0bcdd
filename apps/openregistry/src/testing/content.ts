import { createHash, randomBytes } from 'node:crypto'
import { operator, type Registry } from '@openregistry/core'
import { parseDigest, type Digest, type RepositoryName } from '@openregistry/oci'

/** Bytes that nobody has pushed before. */
export function randomContent(size: number): Uint8Array {
  return Uint8Array.from(randomBytes(size))
}

/** Pushes a blob in one request. */
export async function pushContent(
  registry: Registry,
  repository: RepositoryName,
  bytes: Uint8Array,
): Promise<Digest> {
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  const { id } = await registry.openUpload(operator, { repository, algorithm: null })
  const body = (async function* () {
    yield bytes
  })()
  await registry.finishUpload(operator, {
    repository,
    id,
    digest,
    chunk: { body, start: null, length: bytes.length },
  })
  return digest
}

/** Pulls a blob as a client would. */
export async function pullContent(
  registry: Registry,
  repository: RepositoryName,
  digest: Digest,
  rangeHeader?: string,
): Promise<Uint8Array> {
  await using blob = await registry.openBlob(operator, { repository, digest, rangeHeader })
  if (blob.chunks === null) return blob.bytes ?? new Uint8Array(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of blob.chunks) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}
