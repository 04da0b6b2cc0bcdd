import type { Principal } from '../access/principal.ts'
import type { UploadSession } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { requireSession, type SessionInput } from './session.ts'

/**
 * Where an upload stands.
 * @throws RegistryError as `requireSession`.
 */
export async function uploadStatus(
  ports: Ports,
  principal: Principal,
  input: SessionInput,
): Promise<UploadSession> {
  return requireSession(ports, principal, input)
}
