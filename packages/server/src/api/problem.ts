import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { RegistryError, type ErrorCode } from '@openregistry/oci'
import { isHttp2 } from '../http/http2.ts'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { ociAnswers } from '../v2/errors.ts'

/** A problem document (RFC 9457). `code` is one of the registry's error codes. */
export interface Problem {
  type: 'about:blank'
  title: string
  status: number
  detail: string
  code: ErrorCode
  /** More, as JSON, where a client can use it. */
  context?: unknown
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

/** Answers an error of the management API or of a page; null stands for an unknown path. */
export function answerProblem(
  context: Context<WebEnvironment>,
  thrown: unknown,
  { authenticator, log }: Pick<WebParts, 'authenticator' | 'log'>,
): Response {
  const error = asRegistryError(thrown)
  const { status } = ociAnswers[error.code]
  if (status >= 500) {
    log.error('request_failed', {
      request_id: String(context.env.outgoing.getHeader('X-Request-Id')),
      code: error.code,
      path: context.req.path,
      error: error.cause ?? error,
    })
  }
  if (status === 401 && authenticator.challenge !== null)
    context.header('WWW-Authenticate', authenticator.challenge)
  if (status === 429) context.header('Retry-After', '5')
  // The rest of a body that was not taken would be read for the next request.
  if ((status === 408 || status === 413) && !isHttp2(context.env.incoming))
    context.header('Connection', 'close')
  return context.body(JSON.stringify(problemOf(error)), status as 400, problemType)
}

/** Answers a request whose address is none, before any route is looked for. */
export function refuseRequest(): Response {
  const problem = problemOf(new RegistryError('REQUEST_INVALID', 'The address of the request is malformed.'))
  return new Response(JSON.stringify(problem), { status: problem.status, headers: problemType })
}

const problemType = { 'Content-Type': 'application/problem+json' }

function problemOf(error: RegistryError): Problem {
  const { status } = ociAnswers[error.code]
  return {
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    ...(error.detail === undefined ? {} : { context: error.detail }),
  }
}

function asRegistryError(thrown: unknown): RegistryError {
  if (thrown === null) return new RegistryError('ROUTE_UNKNOWN')
  if (thrown instanceof RegistryError) return thrown
  if (thrown instanceof HTTPException && thrown.status < 500) {
    return new RegistryError('REQUEST_INVALID', thrown.message || 'The request is malformed.')
  }
  return new RegistryError('INTERNAL', undefined, { cause: thrown })
}
