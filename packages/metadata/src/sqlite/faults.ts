import { RegistryError } from '@openregistry/oci'

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const codes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
}

/** Extending the shared memory file failed; seen on a full disk. */
const ioErrorShmSize = 4874

/** A trigger refused a change. The only one is made by `copy/moved-away.ts`. */
const triggerRefused = 1811

/** The extended result code of an error of `node:sqlite`, or null for any other error. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode
}

/** Whether somebody else holds a lock that this statement needs. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code !== null && ((code & 0xff) === codes.busy || (code & 0xff) === codes.locked)
}

/**
 * What a fault means for whoever asked. Faults of the machine become the two codes of the port; anything else is a fault
 * of this program.
 */
export function toRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  const code = resultCode(error)
  if (code === null) return new RegistryError('INTERNAL', undefined, { cause: error })
  if ((code & 0xff) === codes.full || code === ioErrorShmSize) {
    return new RegistryError('STORAGE_FULL', 'The disk of the database has no space left.', { cause: error })
  }
  const message =
    code === triggerRefused ? 'The database was moved to another place meanwhile.' : unavailable(code)
  return message === null
    ? new RegistryError('INTERNAL', undefined, { cause: error })
    : new RegistryError('METADATA_UNAVAILABLE', message, { cause: error })
}

function unavailable(code: number): string | null {
  switch (code & 0xff) {
    case codes.busy:
    case codes.locked:
      return 'Another process holds the database; try again.'
    case codes.readOnly:
      return 'The database cannot be written: its file or folder is read-only.'
    case codes.ioError:
      return 'The disk of the database does not work.'
    case codes.corrupt:
      return 'The database is damaged; restore it from a backup.'
    case codes.cantOpen:
      return 'The database cannot be opened; check that its folder is there and that this user may read and write it.'
    case codes.notADatabase:
      return 'The file is not an OpenRegistry database; set data_dir to another folder, or move openregistry.db away.'
    default:
      return null
  }
}
