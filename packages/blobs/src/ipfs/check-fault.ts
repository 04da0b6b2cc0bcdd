import { RegistryError } from '@openregistry/oci'
import { backendFault, PeerRefusal, PeerUnreachable, saysFull } from './peer-fault.ts'

/**
 * Why a backend would not take a write, in the `cause` of a fault: for the log and for `doctor`, since it names the place.
 * @param place what and where the backend is.
 */
export function checkFault(place: string, error: unknown): RegistryError {
  const cause = error instanceof RegistryError ? error.cause : error
  const isPeer = cause instanceof PeerUnreachable || cause instanceof PeerRefusal
  if (error instanceof RegistryError && !isPeer) return error
  return backendFault(new Error(reasonOf(place, cause), { cause }))
}

function reasonOf(place: string, error: unknown): string {
  const said = error instanceof Error ? error.message : String(error)
  if (error instanceof PeerUnreachable)
    return `${place} does not answer (${said}). Is it running, and is the address right?`
  if (saysFull(error))
    return `${place} has no space left (${said}). Make room there; if it still says so then, start it again.`
  if (error instanceof PeerRefusal && (error.status === 401 || error.status === 403))
    return `${place} does not let us in (${said}). Set the token, and allow the calls that docs/storage.md lists.`
  if (error instanceof PeerRefusal && error.status === 404)
    return `${place} knows nothing of such calls (${said}). Is that the address of the API?`
  return `${place} refuses: ${said}`
}
