import { getRequestListener } from '@hono/node-server'
import { OpenAPIHono } from '@hono/zod-openapi'
import { RegistryError } from '@openregistry/oci'
import type { Context } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import type { RequestListener } from 'node:http'
import { admitRequests } from '../api/admission.ts'
import { registerApi } from '../api/register.ts'
import { answerProblem, refuseRequest } from '../api/problem.ts'
import type { WebEnvironment, WebParts } from './parts.ts'
import { readinessAnswer } from './readiness-answer.ts'
import { welcomePage, welcomeText } from './welcome.ts'

/** Pages for people and machines besides `/v2`, on the same port: welcome, health, metrics, management API. */
export function createWebListener(parts: WebParts): RequestListener {
  const app = new OpenAPIHono<WebEnvironment>()
  app.onError((error, context) => answerProblem(context, error, parts))
  const onMethodNotAllowed = (context: Context<WebEnvironment>, methods: string[]): Response => {
    context.header('Allow', methods.join(', '))
    return answerProblem(context, new RegistryError('METHOD_NOT_ALLOWED'), parts)
  }
  app.use(methodNotAllowed({ app, onMethodNotAllowed }))
  app.get('/', (context) => {
    const wantsHtml = context.req.header('accept')?.includes('text/html') === true
    return wantsHtml ? context.html(welcomePage(parts.welcome)) : context.text(welcomeText(parts.welcome))
  })
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  const readiness = readinessAnswer(parts)
  app.get('/readyz', async (context) => {
    const { status, body } = await readiness()
    return context.json(body, status)
  })
  if (parts.servesMetrics) {
    app.get('/metrics', async (context) => {
      parts.registry.requireOperator(await parts.authenticator.authenticate(context.env.incoming.headers))
      const { contentType, body } = await parts.renderMetrics()
      return context.body(body, 200, { 'Content-Type': contentType })
    })
  }
  admitRequests(app, parts)
  registerApi(app, parts)
  // `HEAD` and unknown paths are the framework's; every 404 is a problem document.
  app.notFound((context) => answerProblem(context, null, parts))
  const options = {
    overrideGlobalObjects: false,
    // Addresses that are none; the server deals with bodies that nobody wants.
    errorHandler: refuseRequest,
    autoCleanupIncoming: false,
    // For the only requests without a Host header that get here, those of HTTP/1.0.
    hostname: 'localhost',
  }
  return getRequestListener(app.fetch, options) as unknown as RequestListener
}
