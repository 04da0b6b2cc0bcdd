/** What went wrong before there was an answer. */
export type ConnectionFault =
  'UNREACHABLE' | 'UNKNOWN_HOST' | 'NOT_TLS' | 'UNTRUSTED_CERTIFICATE' | 'NOT_A_REGISTRY'

/** A request that did not do what was asked. */
export class RegistryClientError extends Error {
  /** Status of the answer, or null when there was none. */
  readonly status: number | null
  /** A code of the registry (`MANIFEST_UNKNOWN`, …), a {@link ConnectionFault}, or `HTTP_<status>`. */
  readonly code: string
  /** What the registry said besides its message. */
  readonly detail: unknown

  constructor(
    message: string,
    about: { status: number | null; code: string; detail?: unknown; cause?: unknown },
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.name = 'RegistryClientError'
    this.status = about.status
    this.code = about.code
    this.detail = about.detail
  }
}

/** The error that an answer of 4xx or 5xx means. Reads its body. */
export async function errorOfAnswer(response: Response, method: string): Promise<RegistryClientError> {
  const { status } = response
  const text = method === 'HEAD' ? '' : await response.text()
  const { code, message, detail } = readBody(text) ?? {}
  return new RegistryClientError(message ?? messageOf(status), {
    status,
    code: code ?? codeOf(status),
    detail,
  })
}

interface ErrorBody {
  code?: string
  message?: string
  detail?: unknown
}

/** The error of a JSON body: that of the distribution specification (the first one counts), or of RFC 9457. */
function readBody(text: string): ErrorBody | null {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return null // A proxy in between answers with HTML; the status has to do.
  }
  if (!isRecord(body)) return null
  const [first] = Array.isArray(body['errors']) ? (body['errors'] as unknown[]) : []
  if (isRecord(first)) return { ...texts(first['code'], first['message']), detail: first['detail'] }
  return texts(body['code'], body['detail'] ?? body['title'])
}

function texts(code: unknown, message: unknown): { code?: string; message?: string } {
  return {
    ...(typeof code === 'string' && code !== '' ? { code } : {}),
    ...(typeof message === 'string' && message !== '' ? { message } : {}),
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function codeOf(status: number): string {
  const codes: Record<number, string> = { 401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS' }
  return codes[status] ?? `HTTP_${status}`
}

function messageOf(status: number): string {
  const messages: Record<number, string> = {
    401: 'Credentials are needed, or those given are wrong.',
    403: 'The credentials are good, the right is missing.',
    404: 'It is not there, or not for you.',
    429: 'Too many requests; try again later.',
  }
  return messages[status] ?? `The registry answered with status ${status}.`
}

/** The error that a failed `fetch` means: there was no answer. */
export function errorOfFetch(error: unknown, server: string): unknown {
  if (error instanceof RegistryClientError || (error as Error).name === 'AbortError') return error
  const { code, message } = faultOf(error, server)
  return new RegistryClientError(message, { status: null, code, cause: error })
}

function faultOf(error: unknown, server: string): { code: ConnectionFault; message: string } {
  const code = systemCode(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      code: 'UNKNOWN_HOST',
      message: `The host of ${server} is not known. Is it spelt right, and is there a network?`,
    }
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return { code: 'NOT_TLS', message: `${server} does not speak HTTPS. Use http:// if that is meant.` }
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return {
      code: 'UNTRUSTED_CERTIFICATE',
      message: `The certificate of ${server} is not trusted (${code}).`,
    }
  }
  const why = code === '' ? '' : ` (${code})`
  return { code: 'UNREACHABLE', message: `No registry answers at ${server}${why}. Is it running there?` }
}

/** The code that Node hides in the causes of a failed `fetch`; browsers tell nothing. */
function systemCode(error: unknown): string {
  let current: unknown = error
  for (let depth = 0; depth < 5 && isRecord(current); depth++) {
    if (typeof current['code'] === 'string') return current['code']
    const [first] = Array.isArray(current['errors']) ? (current['errors'] as unknown[]) : []
    current = first ?? current['cause']
  }
  return ''
}
