import { RegistryError } from '@openregistry/oci'
import type { UploadSession } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'

/**
 * A stream of an upload that keeps its session alive while bytes flow, however long that takes: a session waits only so
 * long for its next *byte*. Renewed four times in a lifetime.
 *
 * @throws RegistryError `BLOB_UPLOAD_UNKNOWN` when the session was ended by somebody else in the meantime.
 */
export async function* renewing(
  ports: Pick<Ports, 'metadata' | 'settings'>,
  session: UploadSession,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lifetime = ports.settings.uploadLifetime
  let renewedAt = performance.now()
  for await (const chunk of source) {
    if (performance.now() - renewedAt > lifetime / 4) {
      renewedAt = performance.now()
      if (!(await ports.metadata.renewUpload(session.id, lifetime))) {
        throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload was ended; begin it again.')
      }
    }
    yield chunk
  }
}
