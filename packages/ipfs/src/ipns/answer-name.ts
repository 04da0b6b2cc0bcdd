import { createHash } from 'node:crypto'
import { RegistryError } from '@openregistry/oci'
import {
  attachment,
  isNotModified,
  plainAnswer,
  type Conditions,
  type ContentAnswer,
} from '../content-answer.ts'
import type { PublishedNames } from './published-names.ts'

/** The media type of records. */
export const recordType = 'application/vnd.ipfs.ipns-record'

/** A question for the record of a name. */
export interface NameRequest {
  /** What comes behind `/ipns/`, or the name itself. */
  path: string
  query: URLSearchParams
  accept: string | undefined
  /** Whether a record is meant unless something else is asked for. */
  byDefault: boolean
}

/**
 * The signed record of a name, which whoever asks can check. Names are not followed here: what they lead to is asked for
 * under `/ipfs`.
 * @throws RegistryError `CID_INVALID`, `PARAMETER_INVALID`, `FORMAT_UNSUPPORTED`, `CONTENT_UNKNOWN` (`NOT_CACHED` to
 * `only-if-cached`).
 */
export async function answerName(
  names: PublishedNames,
  request: NameRequest,
  { method, ifNoneMatch, onlyIfCached }: Conditions,
): Promise<ContentAnswer> {
  const name = request.path.replace(/\/$/, '')
  if (name.includes('/')) {
    throw new RegistryError('PARAMETER_INVALID', 'A name is asked for alone; there are no paths below it.')
  }
  if (!wantsRecord(request)) {
    throw new RegistryError(
      'FORMAT_UNSUPPORTED',
      `Names are served as records that can be verified: ask with ?format=ipns-record (Accept: ${recordType}).`,
    )
  }
  const record = await names.record(name)
  if (record === null) throw new RegistryError(onlyIfCached === true ? 'NOT_CACHED' : 'CONTENT_UNKNOWN')
  const { bytes, maxAge } = record
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`
  const cached = {
    ETag: etag,
    'Cache-Control': `public, max-age=${Math.floor(maxAge / 1000)}`,
    Vary: 'Accept',
  }
  if (isNotModified(ifNoneMatch, etag)) {
    return plainAnswer({ status: 304, headers: cached, length: null, body: null })
  }
  const filename = request.query.get('filename') || `${name}.ipns-record`
  const headers = {
    'Content-Type': recordType,
    'Content-Disposition': attachment(filename),
    ...cached,
    'X-Content-Type-Options': 'nosniff',
  }
  return plainAnswer({ status: 200, headers, length: bytes.length, body: method === 'HEAD' ? null : bytes })
}

/** `format` goes before `Accept` (IPIP-523). */
function wantsRecord({ query, accept, byDefault }: NameRequest): boolean {
  const format = query.get('format')
  if (format !== null) return format === 'ipns-record'
  const types = (accept ?? '').split(',').map((range) => range.split(';', 1)[0]!.trim().toLowerCase())
  if (types.includes(recordType)) return true
  return byDefault && types.some((type) => type === '' || type === '*/*' || type === 'application/*')
}
