import { RegistryError } from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import type { Ports } from '../settings.ts'
import { requireSession, type SessionInput } from './session.ts'

/**
 * Ends an upload without a blob. Needs the right to push, not to delete: nothing that others can see goes away.
 * @throws RegistryError as `requireSession`.
 */
export async function cancelUpload(ports: Ports, principal: Principal, input: SessionInput): Promise<void> {
  const session = await requireSession(ports, principal, input)
  if (!(await ports.metadata.cancelUpload(input.repository, session.id)))
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN')
}
