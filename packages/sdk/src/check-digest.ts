import { digestAlgorithm, formatDigest, type Digest } from '@openregistry/oci'
import { RegistryClientError } from './client-error.ts'

/**
 * Checks that bytes are what their digest says.
 * @throws RegistryClientError `DIGEST_INVALID` when they are not.
 */
export async function checkDigest(bytes: Uint8Array, digest: Digest): Promise<void> {
  const algorithm = digestAlgorithm(digest)
  // Browsers hide it from pages that came over plain HTTP; such a page is not safe from its own host either.
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto }
  if (subtle === undefined) return
  const hash = await subtle.digest(
    algorithm === 'sha256' ? 'SHA-256' : 'SHA-512',
    bytes as Uint8Array<ArrayBuffer>,
  )
  if (formatDigest(algorithm, new Uint8Array(hash)) !== digest) {
    throw new RegistryClientError('The registry sent other bytes than the digest names.', {
      status: 200,
      code: 'DIGEST_INVALID',
    })
  }
}
