import type { Cid } from '@openregistry/dag'
import { RegistryError, type Digest } from '@openregistry/oci'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import { buildLayout } from './image-layout.ts'
import type { LayoutPorts } from './layout-of.ts'
import { buildNerdctlForm } from './nerdctl-form.ts'
import { readImage } from './whole-image.ts'

/**
 * Derives the form of an image that nerdctl pulls from IPFS. That of a public image is kept beside its layout, and can be fetched
 * as long as the image is public and not deleted; of a private one nothing is kept.
 * @throws RegistryError `CONFLICT` when the image is not whole, or too large for it; faults of the database.
 */
export async function keepNerdctlForm(
  { metadata, hasher }: LayoutPorts,
  repository: RepositoryFacts,
  digest: Digest,
): Promise<{ cid: Cid; size: number }> {
  const sha256 = (bytes: Uint8Array): Uint8Array => hasher.hashInline(bytes, { sha512: false }).sha256
  const image = await readImage({ metadata }, repository.name, digest)
  const bytesOf = async (manifest: Digest): Promise<Uint8Array> => {
    const reference = { kind: 'digest', digest: manifest } as const
    const found = await metadata.findManifest(repository.name, reference, { bytes: true })
    const bytes = found?.manifest?.bytes ?? null
    if (bytes === null) throw new RegistryError('CONFLICT', `${manifest} is not there any more.`)
    return bytes
  }
  const { cid, root, size, blocks } = await buildNerdctlForm(image, bytesOf, sha256)
  const isKept = async () => (await metadata.findPublicNode(root))?.repository.id === repository.id
  if (repository.visibility === 'public' && !(await isKept())) {
    const layout = buildLayout(image, sha256)
    await metadata.putLayout({
      repository: repository.name,
      digest,
      layout: { root: layout.root, size: layout.size, blocks: [...layout.blocks, ...blocks] },
    })
  }
  return { cid, size }
}
