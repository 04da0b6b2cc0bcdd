import { createHash, randomBytes } from 'node:crypto'
import { mediaTypes, parseDigest, parseRepositoryName, parseTag, type Digest } from '@openregistry/oci'
import type { RegistryClient } from '@openregistry/sdk'

/** A small image of one random layer, pushed. */
export interface PushedImage {
  digest: Digest
  config: Digest
  layer: { digest: Digest; bytes: Uint8Array }
}

/** Pushes an image whose layer has `size` random bytes; one with a subject is pushed by its digest alone. */
export async function pushImage(
  client: RegistryClient,
  image: string,
  size = 100_000,
  subject?: Digest,
): Promise<PushedImage> {
  const [name = '', tag = 'latest'] = image.split(':')
  const repository = parseRepositoryName(name)
  const layer = randomBytes(size)
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  for (const bytes of [layer, config]) await client.oci.uploadBlob(repository, digestOf(bytes), bytes)
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor(mediaTypes.ociConfig, config),
      layers: [descriptor(mediaTypes.ociLayer, layer)],
      ...(subject === undefined
        ? {}
        : { subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 } }),
    }),
  )
  await client.oci.putManifest(repository, subject === undefined ? parseTag(tag) : digestOf(manifest), {
    mediaType: mediaTypes.ociManifest,
    bytes: manifest,
  })
  return {
    digest: digestOf(manifest),
    config: digestOf(config),
    layer: { digest: digestOf(layer), bytes: layer },
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}
