import { RegistryError } from '@openregistry/oci'

/** Whether a place could not be read, or not to its end; another place may be read instead. */
export function isAway(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'STORAGE_UNAVAILABLE'
}
