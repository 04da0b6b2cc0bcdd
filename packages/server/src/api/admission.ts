import type { OpenAPIHono } from '@hono/zod-openapi'
import { hasBody } from '../http/body.ts'
import { readSmallBody } from '../http/small-body.ts'
import type { WebEnvironment, WebParts } from '../web/parts.ts'

/** No body of the management API comes near it. Bytes. */
const bodyLimit = 64 * 1024

/** Methods whose body means something; with some of the others no `Request` can be made. */
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * What comes before every route of the management API, those that do not exist included: who asks is found out first,
 * so wrong credentials are said before anything else; and a body is read whole here, within limits of size and time.
 */
export function admitRequests(
  app: OpenAPIHono<WebEnvironment>,
  { authenticator, bodyTime }: Pick<WebParts, 'authenticator' | 'bodyTime'>,
): void {
  app.use('/api/v1/*', async (context, next) => {
    const { incoming, outgoing } = context.env
    context.set('principal', await authenticator.authenticate(incoming.headers))
    const { url, method, headers } = context.req.raw
    if (methodsWithBody.has(method) && hasBody(incoming)) {
      if (incoming.headers.expect !== undefined) outgoing.writeContinue()
      const body = await readSmallBody(incoming, { size: bodyLimit, time: bodyTime })
      context.req.raw = new Request(url, { method, headers, body })
    }
    await next()
  })
}
