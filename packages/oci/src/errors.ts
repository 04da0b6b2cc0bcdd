/**
 * Every way in which the registry says no. The union is closed: each transport maps every code exactly once
 * (a `Record<ErrorCode, …>`, so a new code does not compile until it is mapped), and `docs/errors.md` is
 * compared with {@link errorCatalogue} by a test.
 *
 * The first fourteen are the codes of the OCI distribution specification ("Error Codes"); the others are ours and
 * never appear in an answer under `/v2` as they stand: the transport translates them.
 */
export const errorCatalogue = {
  BLOB_UNKNOWN: 'The blob is not in this repository.',
  BLOB_UPLOAD_INVALID: 'The upload cannot be continued as asked.',
  BLOB_UPLOAD_UNKNOWN: 'The upload session is unknown, ended, or belongs to another repository.',
  DIGEST_INVALID: 'The digest is malformed, of an unsupported algorithm, or differs from the content.',
  MANIFEST_BLOB_UNKNOWN: 'The manifest references blobs that are not in this repository.',
  MANIFEST_INVALID: 'The manifest is not acceptable.',
  MANIFEST_UNKNOWN: 'The manifest is not in this repository.',
  NAME_INVALID: 'The repository name is malformed or reserved.',
  NAME_UNKNOWN: 'The repository is not known.',
  SIZE_INVALID: 'The content has another size than was announced, or is too large.',
  UNAUTHORIZED: 'Credentials are needed, or those given are wrong.',
  DENIED: 'The credentials are good, the right is missing.',
  UNSUPPORTED: 'The operation is not supported.',
  TOOMANYREQUESTS: 'Too many requests; try again later.',

  TAG_INVALID: 'The tag is malformed.',
  PARAMETER_INVALID: 'A query parameter or header is malformed.',
  REQUEST_INVALID: 'The request is malformed.',
  ROUTE_UNKNOWN: 'There is nothing at this path.',
  METHOD_NOT_ALLOWED: 'The path exists, the method does not.',
  RANGE_INVALID: 'The requested range lies outside of the content.',
  UPLOAD_OFFSET_MISMATCH: 'The chunk does not begin where the upload stands.',
  BLOB_TOO_LARGE: 'The blob is larger than the configured limit.',
  MANIFEST_TOO_LARGE: 'The manifest is larger than the configured limit.',
  BODY_TOO_LARGE: 'The body of the request is larger than such requests need.',
  HEADERS_TOO_LARGE: 'The request headers are larger than the configured limit.',
  URI_TOO_LONG: 'The request target is longer than the configured limit.',
  REQUEST_TIMEOUT: 'The client sent nothing for too long.',
  CID_INVALID: 'The CID is malformed, or its hash or codec is not one that is served.',
  CONTENT_UNKNOWN: 'There is no public content under this CID or path.',
  FORMAT_UNSUPPORTED: 'The content is not served in that format.',
  NOT_CACHED: 'The content is not here, and was to be looked for nowhere else.',
  ORIGIN_REFUSED: 'An open registry refuses requests that a foreign web page or an unknown host name sends.',
  CONFLICT: 'The request contradicts the present state.',
  STORAGE_FULL: 'The storage has no space left.',
  STORAGE_UNAVAILABLE: 'The storage backend does not answer.',
  METADATA_UNAVAILABLE: 'The database does not answer.',
  SHUTTING_DOWN: 'The server is stopping.',
  INTERNAL: 'A fault of the registry; its log has the cause under the request id.',
} as const satisfies Record<string, string>

/** A code of {@link errorCatalogue}. */
export type ErrorCode = keyof typeof errorCatalogue

/** Options of a {@link RegistryError}. */
export interface RegistryErrorOptions {
  /** What the client may see besides the message; plain JSON, never a secret. */
  detail?: unknown
  /** What went wrong underneath; logged, never sent. */
  cause?: unknown
}

/**
 * The only error that use cases throw on purpose. `message` says what happened and, where it helps, what to do next;
 * it is sent to the client, so it never carries a secret or the existence of something private.
 */
export class RegistryError extends Error {
  readonly code: ErrorCode
  readonly detail: unknown

  constructor(code: ErrorCode, message?: string, options: RegistryErrorOptions = {}) {
    super(message ?? errorCatalogue[code], options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RegistryError'
    this.code = code
    this.detail = options.detail
  }
}
