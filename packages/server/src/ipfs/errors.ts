import type { ErrorCode, RegistryError } from '@openregistry/oci'
import type { Headers } from '../http/exchange.ts'
import { ociAnswers } from '../v2/errors.ts'
import type { IpfsTarget } from './route.ts'

/** Where delegated routing has statuses of its own (Delegated Routing V1, "Response Status Codes", "Error Codes"). */
const routingStatuses: Partial<Record<ErrorCode, number>> = {
  CID_INVALID: 422,
  PARAMETER_INVALID: 422,
  METHOD_NOT_ALLOWED: 501,
  ROUTE_UNKNOWN: 501,
}

/** The status with which a surface answers an error; that of the catalogue where no specification has another one. */
export function statusOf({ code }: RegistryError, kind: IpfsTarget['kind']): number {
  return (kind === 'routing' ? routingStatuses[code] : undefined) ?? ociAnswers[code].status
}

/** Headers that tell a client how to go on after this error. */
export function errorHeaders({ code, detail }: RegistryError): Headers {
  const headers: Headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    // What is not here today may be here tomorrow.
    'Cache-Control': 'no-store',
  }
  if (code === 'METHOD_NOT_ALLOWED') headers['Allow'] = 'GET, HEAD, OPTIONS'
  if (code === 'TOOMANYREQUESTS' || code === 'SHUTTING_DOWN') headers['Retry-After'] = 5
  if (code === 'RANGE_INVALID') headers['Content-Range'] = `bytes */${(detail as { size: number }).size}`
  return headers
}
