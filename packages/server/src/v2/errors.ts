import type { ErrorCode, RegistryError } from '@openregistry/oci'

/** The fourteen codes of the specification ("Error Codes"), and two that clients know for faults (5xx). */
type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNKNOWN'
  | 'UNAVAILABLE'

/** How `/v2` answers an error. */
export interface OciAnswer {
  status: number
  code: OciCode
}

/** The one place where an error becomes an answer of `/v2`. */
export const ociAnswers: Readonly<Record<ErrorCode, OciAnswer>> = {
  BLOB_UNKNOWN: { status: 404, code: 'BLOB_UNKNOWN' },
  BLOB_UPLOAD_INVALID: { status: 400, code: 'BLOB_UPLOAD_INVALID' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
  DIGEST_INVALID: { status: 400, code: 'DIGEST_INVALID' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' },
  MANIFEST_INVALID: { status: 400, code: 'MANIFEST_INVALID' },
  MANIFEST_UNKNOWN: { status: 404, code: 'MANIFEST_UNKNOWN' },
  NAME_INVALID: { status: 400, code: 'NAME_INVALID' },
  NAME_UNKNOWN: { status: 404, code: 'NAME_UNKNOWN' },
  SIZE_INVALID: { status: 400, code: 'SIZE_INVALID' },
  UNAUTHORIZED: { status: 401, code: 'UNAUTHORIZED' },
  DENIED: { status: 403, code: 'DENIED' },
  UNSUPPORTED: { status: 400, code: 'UNSUPPORTED' },
  TOOMANYREQUESTS: { status: 429, code: 'TOOMANYREQUESTS' },

  TAG_INVALID: { status: 400, code: 'MANIFEST_INVALID' },
  PARAMETER_INVALID: { status: 400, code: 'UNSUPPORTED' },
  REQUEST_INVALID: { status: 400, code: 'UNSUPPORTED' },
  ROUTE_UNKNOWN: { status: 404, code: 'UNSUPPORTED' },
  METHOD_NOT_ALLOWED: { status: 405, code: 'UNSUPPORTED' },
  RANGE_INVALID: { status: 416, code: 'SIZE_INVALID' },
  UPLOAD_OFFSET_MISMATCH: { status: 416, code: 'BLOB_UPLOAD_INVALID' },
  BLOB_TOO_LARGE: { status: 413, code: 'SIZE_INVALID' },
  MANIFEST_TOO_LARGE: { status: 413, code: 'SIZE_INVALID' },
  BODY_TOO_LARGE: { status: 413, code: 'SIZE_INVALID' },
  HEADERS_TOO_LARGE: { status: 431, code: 'SIZE_INVALID' },
  URI_TOO_LONG: { status: 414, code: 'SIZE_INVALID' },
  REQUEST_TIMEOUT: { status: 408, code: 'BLOB_UPLOAD_INVALID' },
  CID_INVALID: { status: 400, code: 'DIGEST_INVALID' },
  CONTENT_UNKNOWN: { status: 404, code: 'BLOB_UNKNOWN' },
  FORMAT_UNSUPPORTED: { status: 406, code: 'UNSUPPORTED' },
  NOT_CACHED: { status: 412, code: 'BLOB_UNKNOWN' },
  ORIGIN_REFUSED: { status: 403, code: 'DENIED' },
  CONFLICT: { status: 409, code: 'DENIED' },
  STORAGE_FULL: { status: 507, code: 'UNAVAILABLE' },
  STORAGE_UNAVAILABLE: { status: 503, code: 'UNAVAILABLE' },
  METADATA_UNAVAILABLE: { status: 503, code: 'UNAVAILABLE' },
  SHUTTING_DOWN: { status: 503, code: 'UNAVAILABLE' },
  INTERNAL: { status: 500, code: 'UNKNOWN' },
}

/** The body of an error answer ("Error Codes"). */
export function ociErrorBody(error: RegistryError): string {
  const { code } = ociAnswers[error.code]
  const entry = {
    code,
    message: error.message,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  }
  return JSON.stringify({ errors: [entry] })
}
