import { createHash } from 'node:crypto'
import { MemoryBlockstore } from 'blockstore-core/memory'
import { importBytes } from 'ipfs-unixfs-importer'
import { contentOf, type Content, type Random } from '@openregistry/testkit'
import type { Digest } from '@openregistry/oci'
import type { World } from './client.ts'

/** A blob that clients push, with the CID that it must have by another implementation than ours. */
export interface KnownBlob extends Content {
  cid: string
}

const kibi = 1024
const mebi = 1024 * kibi

/** Around every size at which the registry does something else: nothing, inline, one object, several leaves. */
const sizes = [1, 200, 16 * kibi - 1, 16 * kibi, 16 * kibi + 1, 70_000, 70_001, 300_000, 400_000]
const largeSizes = [mebi, mebi + 1, 2_500_000]

/** Few contents for many pushes, so that the same bytes meet themselves in several repositories and at the same time. */
export async function contentPool(random: Random): Promise<World['blobs']> {
  const blob = async (size: number): Promise<KnownBlob> => {
    const content = contentOf(random.bytes(size))
    return { ...content, cid: await cidOf(content.bytes) }
  }
  const pool: [KnownBlob, ...KnownBlob[]] = [await blob(0)]
  for (const size of [...sizes, ...largeSizes]) pool.push(await blob(size))
  return pool
}

async function cidOf(bytes: Uint8Array): Promise<string> {
  const { cid } = await importBytes(bytes, new MemoryBlockstore(), { profile: 'unixfs-v1-2025' })
  return cid.toString()
}

/** Whether bytes are those of a digest. */
export function isWhole(bytes: Uint8Array, digest: Digest): boolean {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` === digest
}
