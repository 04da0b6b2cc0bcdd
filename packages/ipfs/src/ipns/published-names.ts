import { isForEverybody, type MetadataStore, type Milliseconds, type NameKeys } from '@openregistry/core'
import { dagPbCid, encodeIpnsRecord, parseIpnsName, sameBytes, IpnsError } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'

/** How long whoever has looked a name up need not do so again: a push is followed within a minute. */
export const recordTtl: Milliseconds = 60_000

/** A signed record, as it is served. */
export interface PublishedRecord {
  bytes: Uint8Array
  /** How long it may be remembered: its TTL, or less when it ends before. */
  maxAge: Milliseconds
}

/** The names of public repositories. */
export interface PublishedNames {
  /**
   * The record of a name, as somebody wrote it. Null when it is none of ours, or not for everybody.
   * @throws RegistryError `CID_INVALID` when it is no name.
   */
  record(name: string): Promise<PublishedRecord | null>
}

/**
 * Signs what names lead to. The row that a name has in the database says all of it, so every replica signs the same bytes,
 * and nothing is published to anybody who has not asked.
 */
export function createPublishedNames(
  metadata: Pick<MetadataStore, 'findPublicName'>,
  keys: NameKeys,
): PublishedNames {
  return {
    async record(name) {
      const publicKey = keyOf(name)
      const found = publicKey === null ? null : await metadata.findPublicName(publicKey)
      if (publicKey === null || found === null || !isForEverybody(found.repository)) return null
      const { repository, root, sequence, validUntil, now } = found
      // Of servers with different keys files, the one that gave the name this key signs for it.
      if (!sameBytes(keys.publicKey(repository.id), publicKey)) return null
      const value = { value: `/ipfs/${dagPbCid(root)}`, sequence, validUntil, ttl: recordTtl }
      const bytes = encodeIpnsRecord(value, (message) => keys.sign(repository.id, message))
      return { bytes, maxAge: Math.min(recordTtl, validUntil - now) }
    },
  }
}

function keyOf(name: string): Uint8Array | null {
  try {
    return parseIpnsName(name)
  } catch (cause) {
    if (cause instanceof IpnsError) throw new RegistryError('CID_INVALID', cause.message, { cause })
    throw cause
  }
}
