import { RegistryError } from '@openregistry/oci'

/** A service of others did not answer as agreed: nothing is known of what it did. */
export class PeerUnreachable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PeerUnreachable'
  }
}

/** A service of others answered, and said no. */
export class PeerRefusal extends Error {
  /** The status of its answer; 200 where it said so at the end of a stream. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'PeerRefusal'
    this.status = status
  }
}

/** What says that a disk is full, in the words of Go, of the datastores of Kubo, and of the operating systems. */
const fullDisk = /no space left on device|disk quota exceeded|not enough space|storage limit|ENOSPC|EDQUOT/i

/** Whether an error, or one beneath it, says that there is no space. */
export function saysFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (fullDisk.test(cause.message)) return true
    if ('code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')) return true
  }
  return false
}

/** The registry's word for whatever a service of others, or the file system, answered. */
export function backendFault(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  return new RegistryError(saysFull(error) ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', undefined, {
    cause: error,
  })
}

/** Whether to ask again may help: nobody answered, or somebody on the way said that it is too much at the moment. */
export function mayPass(error: unknown): boolean {
  if (error instanceof PeerUnreachable) return true
  return error instanceof PeerRefusal && [429, 502, 503, 504].includes(error.status)
}
