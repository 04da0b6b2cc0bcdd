import { createRegistry, operator, type Ports } from '@openregistry/core'
import { parseTag, type Digest, type RepositoryName } from '@openregistry/oci'
import { contentOf, descriptorOf, imageManifest } from '@openregistry/testkit'
import { pushContent } from './content.ts'

/** Pushes an image of one layer into ports, without a server. @returns the digest of the layer. */
export async function pushInto(
  ports: Ports,
  repository: RepositoryName,
  tag: string,
  layer: Buffer,
): Promise<Digest> {
  const registry = createRegistry(ports)
  const [config, blob] = [contentOf(Buffer.from(`{"image":"${repository}:${tag}"}`)), contentOf(layer)]
  for (const { bytes } of [config, blob]) await pushContent(registry, repository, bytes)
  const manifest = imageManifest({ config: descriptorOf(config), layers: [descriptorOf(blob)] })
  const input = { repository, tags: [], contentType: manifest.mediaType, bytes: manifest.bytes }
  await registry.putManifest(operator, { ...input, reference: { kind: 'tag', tag: parseTag(tag) } })
  return blob.digest
}
