import { RegistryError, type Digest, type RepositoryName } from '@openregistry/oci'
import type { ImageLayout } from '../ports/ipfs.ts'
import type { Visibility } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { buildLayout } from './image-layout.ts'
import { readImage } from './whole-image.ts'

/** What layouts are computed from. */
export type LayoutPorts = Pick<Ports, 'metadata' | 'hasher'>

/** A layout by its root. */
export interface LayoutRoot {
  /** SHA-256 of the root directory. */
  root: Uint8Array
  /** Bytes of all blocks. */
  size: number
}

/** Whether nothing has to be computed: it is known, and its blocks are there if they may be seen. */
export function isReady(
  layout: ImageLayout | null,
  visibility: Visibility,
): layout is ImageLayout & { root: Uint8Array } {
  return layout !== null && layout.root !== null && (layout.stored || visibility === 'private')
}

/**
 * Computes the layout of an image and keeps it; of a private repository only the root, since nobody may see more.
 * @returns an error in place of a layout when the image has none (`CONFLICT`); that is kept, too.
 * @throws RegistryError faults of the database.
 */
export async function computeLayout(
  { metadata, hasher }: LayoutPorts,
  { repository, digest }: { repository: RepositoryName; digest: Digest },
): Promise<LayoutRoot | RegistryError> {
  try {
    const image = await readImage({ metadata }, repository, digest)
    const layout = buildLayout(image, (bytes) => hasher.hashInline(bytes, { sha512: false }).sha256)
    await metadata.putLayout({ repository, digest, layout })
    return { root: layout.root, size: layout.size }
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'CONFLICT') throw error
    await metadata.putLayout({ repository, digest, layout: null })
    return error
  }
}
