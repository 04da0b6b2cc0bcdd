import { RegistryError } from '@openregistry/oci'

/** The errno of a system call's error, or null when it is another kind of error. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** The registry's word for a fault of the file system. */
export function storageFault(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  const errno = errnoOf(error)
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new RegistryError('STORAGE_FULL', undefined, { cause: error })
  }
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause: error })
}

/** The result of a file operation, its faults as RegistryErrors. */
export async function guarded<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    throw storageFault(error)
  }
}
