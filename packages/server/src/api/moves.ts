import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { Move, MoveStatus } from '@openregistry/core'
import { parseRepositoryName } from '@openregistry/oci'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { nameParameter } from './schemas.ts'

const amountSchema = z
  .object({ blobs: z.int(), bytes: z.int() })
  .openapi('Amount', { description: 'Manifests, and blobs of at most 16 KiB, are not counted.' })

const moveSchema = z
  .object({
    backend: z.string().openapi({ description: 'Where the content goes.' }),
    state: z
      .enum(['running', 'done', 'failed', 'cancelled'])
      .openapi({ description: 'One that is running is tried again after an error.' }),
    requestedBy: z.string().openapi({ description: 'Who asked for it: "user:<name>" or "operator".' }),
    rate: z.int().openapi({ description: 'Bytes a second; 0: as many as come.' }),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    total: amountSchema
      .nullable()
      .openapi({ description: 'What was elsewhere when it began; null until that is counted.' }),
    done: amountSchema,
    underWay: z.int().openapi({ description: 'Bytes of blobs that are being copied.' }),
    error: z.string().nullable().openapi({ description: 'What went wrong the last time.' }),
  })
  .openapi('Move')

const statusSchema = z
  .object({
    backend: z
      .string()
      .nullable()
      .openapi({ description: 'Where it was moved to; null while it goes by the configuration.' }),
    move: moveSchema.nullable().openapi({ description: 'The newest move; null when it was never moved.' }),
  })
  .openapi('MoveStatus')

const wishSchema = z
  .strictObject({
    backend: z.string(),
    rate: z
      .int()
      .min(0)
      .optional()
      .openapi({ description: 'Bytes a second, 1024 at least; 0 or nothing: no bound.' }),
  })
  .openapi('MoveWish')

const path = '/api/v1/repositories/{name}/move'

const answer = (description: string) => ({
  description,
  content: { 'application/json': { schema: statusSchema } },
})

const getRoute = createRoute({
  method: 'get',
  path,
  summary: 'How the move of a repository to another backend stands',
  request: { params: nameParameter },
  responses: { 200: answer('Where its content belongs, and its newest move.') },
})

const postRoute = createRoute({
  method: 'post',
  path,
  summary: 'Move a repository to another backend',
  description:
    'New content goes there at once; a job brings the rest, copy by verified copy. Asking again for the same backend goes on with the same move.',
  request: {
    params: nameParameter,
    body: { required: true, content: { 'application/json': { schema: wishSchema } } },
  },
  responses: { 202: answer('The move, which goes on in the background.') },
})

const deleteRoute = createRoute({
  method: 'delete',
  path,
  summary: 'Stop a move',
  description: 'What was moved stays where it is; new content goes where it went before.',
  request: { params: nameParameter },
  responses: { 200: answer('The move as it was stopped.') },
})

/** Moving repositories between storage backends. */
export function registerMoves(
  app: OpenAPIHono<WebEnvironment>,
  { registry, log }: Pick<WebParts, 'registry' | 'log'>,
): void {
  app.openapi(getRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    return context.json(formatStatus(await registry.getMove(context.get('principal'), { repository })), 200)
  })
  app.openapi(postRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const { backend, rate = 0 } = context.req.valid('json')
    const principal = context.get('principal')
    const status = await registry.moveRepository(principal, { repository, backend, rate })
    log.info('repository_move_start', {
      request_id: String(context.env.outgoing.getHeader('X-Request-Id')),
      ...{ repository, backend },
      principal: principal.kind === 'user' ? principal.name : principal.kind,
    })
    return context.json(formatStatus(status), 202)
  })
  app.openapi(deleteRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const principal = context.get('principal')
    const status = await registry.cancelMove(principal, { repository })
    log.info('repository_move_cancel', {
      request_id: String(context.env.outgoing.getHeader('X-Request-Id')),
      repository,
      principal: principal.kind === 'user' ? principal.name : principal.kind,
    })
    return context.json(formatStatus(status), 200)
  })
}

function formatStatus({ backend, move }: MoveStatus): z.infer<typeof statusSchema> {
  return { backend, move: move === null ? null : formatMove(move) }
}

function formatMove({ startedAt, endedAt, ...move }: Move): z.infer<typeof moveSchema> {
  return {
    ...move,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
  }
}
