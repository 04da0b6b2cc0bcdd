import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { RegistryError, type ErrorCode } from '@openregistry/oci'
import type { WebEnvironment, WebParts } from '../web/app.ts'
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
  409: 'Conflict',
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
  if (status >= 500)
    log.error('request_failed', { code: error.code, path: context.req.path, error: error.cause ?? error })
  const problem: Problem = {
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    ...(error.detail === undefined ? {} : { context: error.detail }),
  }
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
  if (status === 401 && authenticator.challenge !== null)
    headers['WWW-Authenticate'] = authenticator.challenge
  return context.body(JSON.stringify(problem), status as 400, headers)
}

function asRegistryError(thrown: unknown): RegistryError {
  if (thrown === null) return new RegistryError('ROUTE_UNKNOWN')
  if (thrown instanceof RegistryError) return thrown
  if (thrown instanceof HTTPException && thrown.status < 500) {
    return new RegistryError('REQUEST_INVALID', thrown.message || 'The request is malformed.')
  }
  return new RegistryError('INTERNAL', undefined, { cause: thrown })
}
