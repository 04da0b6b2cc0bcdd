import { RegistryError } from '@openregistry/oci'

/** What is known of a refusal: the code of S3 or of the system, and the HTTP status, 0 when there was no answer. */
export interface Refusal {
  code: string
  status: number
  message: string
}

/** Reads an error of the S3 client. */
export function refusalOf(error: unknown): Refusal {
  const { name, message, code, $metadata } = error as {
    name?: string
    message?: string
    code?: string
    $metadata?: { httpStatusCode?: number }
  }
  return {
    code: code ?? name ?? 'Error',
    status: $metadata?.httpStatusCode ?? 0,
    message: message ?? String(error),
  }
}

const full: ReadonlySet<string> = new Set([
  'QuotaExceeded',
  'QuotaExceededException',
  'InsufficientStorage',
  'StorageFull',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'ExceededStorageQuota',
  'StorageLimitExceeded',
])

/** Where a fault happened: names for whoever reads the log, never a secret. */
export interface Place {
  /** Name of the backend, which is that of its keys below `dfs`. */
  backend: string
  bucket: string
  endpoint: string
}

/**
 * The registry's word for an error of the S3 client. Of the error itself only what says what happened is kept: the client
 * hangs requests, answers and parts of signatures on it, and whatever hangs on a cause is logged.
 */
export function storageFault(error: unknown, operation: string, place: Place): RegistryError {
  if (error instanceof RegistryError) return error
  const refusal = refusalOf(error)
  const { code, status, message } = refusal
  const answered = status === 0 ? code : `${code}, status ${status}`
  const advice = adviceOn(refusal, place)
  const cause = new Error(
    `${operation} in the bucket "${place.bucket}" at ${place.endpoint} failed (${answered}): ${message}${advice}`,
  )
  // What a disk would say: scrub tells by it an object that nobody may read from a backend that is away.
  if (status === 403) Object.assign(cause, { code: 'EACCES' })
  if (status === 507 || full.has(code)) return new RegistryError('STORAGE_FULL', undefined, { cause })
  return new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
}

/** What whoever operates the registry can do, as a sentence to append; empty where waiting is all. */
function adviceOn({ code, status }: Refusal, { backend }: Place): string {
  const keys = `dfs.${backend}`
  switch (code) {
    case 'NoSuchBucket':
      return ` Make the bucket, or correct ${keys}.bucket.`
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'XAdminUserNotFound':
      return ` Correct ${keys}.access_key and ${keys}.secret_key.`
    case 'AccessDenied':
    case 'Forbidden':
      return ` Let the key of ${keys}.access_key list the bucket, and read, write and delete objects and multipart uploads.`
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return ` Correct ${keys}.region and ${keys}.endpoint.`
    case 'RequestTimeTooSkewed':
      return ' Set the clock of this machine.'
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
      return ` Nothing answers there: correct ${keys}.endpoint, or start it.`
    default:
      return status === 403 ? ` Look at the rights of the key of ${keys}.access_key.` : ''
  }
}
