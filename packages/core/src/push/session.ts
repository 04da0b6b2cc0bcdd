import { RegistryError, type RepositoryName } from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { UploadSession } from '../ports/metadata-store.ts'
import { parseUploadId, type UploadId } from '../ports/storage-key.ts'
import type { Ports } from '../settings.ts'

/** Which session a request is about. `id` is what the client sent. */
export interface SessionInput {
  repository: RepositoryName
  id: string
}

/**
 * The open session that a request names, if the principal may push here and is the one who opened it. A session of
 * another repository or of somebody else is answered like an unknown one.
 *
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `BLOB_UPLOAD_UNKNOWN`.
 */
export async function requireSession(
  { metadata }: Pick<Ports, 'metadata'>,
  principal: Principal,
  { repository, id }: SessionInput,
): Promise<UploadSession> {
  const parsed = parseUploadId(id)
  const session = parsed === null ? null : await metadata.findUpload(repository, parsed)
  authorize(principal, 'push', repository, session?.repository ?? (await metadata.findRepository(repository)))
  if (session === null || session.principal !== principalName(principal)) {
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'No such upload session here; begin the upload again.')
  }
  return session
}

/**
 * Refuses a chunk that does not begin where the upload stands, before its bytes are read.
 * @throws RegistryError `UPLOAD_OFFSET_MISMATCH` with the id and the offset, so that the client can go on without asking.
 */
export function requireOffset(session: UploadSession, start: number): void {
  if (start !== session.offset) throw offsetMismatch(session.id, session.offset)
}

/** The answer to a chunk that begins elsewhere. */
export function offsetMismatch(upload: UploadId, offset: number): RegistryError {
  return new RegistryError(
    'UPLOAD_OFFSET_MISMATCH',
    `The upload stands at byte ${offset}; send the next chunk from there.`,
    {
      detail: { upload, offset },
    },
  )
}
