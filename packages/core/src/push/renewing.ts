import { RegistryError } from '@openregistry/oci'
import type { UploadSession } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { carryLeases } from './carry-leases.ts'

/**
 * A stream of an upload that keeps its session alive while bytes flow, however long that takes: a session waits only so
 * long for its next *byte*. So it is with the leases of what was pushed before. Both are renewed four times in their life.
 *
 * @throws RegistryError `BLOB_UPLOAD_UNKNOWN` when the session was ended by somebody else in the meantime.
 */
export async function* renewing(
  ports: Pick<Ports, 'metadata' | 'settings'>,
  session: UploadSession,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { uploadLifetime: lifetime, lease } = ports.settings
  const startedAt = performance.now()
  let renewedAt = startedAt
  for await (const chunk of source) {
    if (performance.now() - renewedAt > Math.min(lifetime, lease) / 4) {
      renewedAt = performance.now()
      await carryLeases(ports, session, renewedAt - startedAt)
      if (!(await ports.metadata.renewUpload(session.id, lifetime))) {
        throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload was ended; begin it again.')
      }
    }
    yield chunk
  }
}
