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

/** Why the folder of a store cannot be prepared, for whoever started it: it names paths, so it is not for clients. */
export function folderFault(folder: string, error: unknown): RegistryError {
  const fault = storageFault(error)
  const reason = fault.code === 'STORAGE_UNAVAILABLE' ? reasonAgainst(folder, error) : null
  return reason === null ? fault : new RegistryError('STORAGE_UNAVAILABLE', reason, { cause: error })
}

function reasonAgainst(folder: string, error: unknown): string | null {
  switch (errnoOf(error) ?? '') {
    case 'EACCES':
    case 'EPERM':
      return `This user may not write the folder of the blobs, ${folder}; give it that folder, or name another one (data_dir, dfs.disk.path).`
    case 'EROFS':
      return `The folder of the blobs, ${folder}, is on a read-only file system; name one that can be written (data_dir, dfs.disk.path).`
    case 'ENOTDIR':
    case 'EEXIST':
      return `There is a file where the folder of the blobs, ${folder}, should be; move it away, or name another folder (data_dir, dfs.disk.path).`
    case 'EIO':
      return `The disk with the folder of the blobs, ${folder}, does not work; see the log of the system.`
    default:
      return null
  }
}
