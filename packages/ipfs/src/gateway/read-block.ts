import { identityCode, type CidParts } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'
import type { BlockView, LentBlock } from '../block-view.ts'

/** The bytes of a block, or null. Those of an identity CID are in the CID. */
export async function findBlock(
  view: BlockView,
  { hash, digest }: CidParts,
  signal?: AbortSignal,
): Promise<Uint8Array | null> {
  if (hash === identityCode) return digest
  return view.block(digest, signal === undefined ? {} : { signal })
}

/** The same, in memory that may be lent for it. */
export async function lendBlock(
  view: BlockView,
  { hash, digest }: CidParts,
  signal?: AbortSignal,
): Promise<LentBlock | null> {
  if (hash === identityCode) return { bytes: digest, release: null }
  return view.lend(digest, signal === undefined ? {} : { signal })
}

/** The size of a block in bytes, or null. */
export async function findBlockSize(view: BlockView, { hash, digest }: CidParts): Promise<number | null> {
  return hash === identityCode ? digest.length : view.blockSize(digest)
}

/** The same for both. @throws RegistryError `CONTENT_UNKNOWN` in place of null. */
export function known<T>(found: T | null): T {
  if (found === null) throw new RegistryError('CONTENT_UNKNOWN')
  return found
}
