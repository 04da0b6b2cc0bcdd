import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { ListedTagChange, RestoreWish } from '@openregistry/core'
import { RegistryError, parseDigest, parseRepositoryName, parseTag } from '@openregistry/oci'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { nameParameter } from './schemas.ts'

const moment = z.iso.datetime({ offset: true })

const changeSchema = z
  .object({
    tag: z.string(),
    from: z.string().nullable().openapi({ description: 'Digest before; null when the tag was not there.' }),
    to: z.string().nullable().openapi({ description: 'Digest afterwards; null when the tag was deleted.' }),
    changedBy: z
      .string()
      .nullable()
      .openapi({ description: 'Who did it: "user:<name>" or "operator". Null to those who may only pull.' }),
    changedAt: z.iso.datetime(),
    manifest: z.enum(['live', 'deleted', 'gone']).openapi({
      description: 'What became of the manifest of "to", or of "from" where the tag was deleted.',
    }),
    restorableUntil: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'Until when a deleted manifest can be restored for certain.' }),
  })
  .openapi('TagChange')

const historySchema = z.object({
  changes: z.array(changeSchema),
  next: z.string().nullable().openapi({ description: 'Ask for it as "last" to go on; null at the end.' }),
})

const historyQuery = z.object({
  tag: z
    .string()
    .optional()
    .openapi({ description: 'Only this tag. Without it, all tags, deleted ones too.' }),
  at: moment.optional().openapi({
    description: 'Begin with the change that was in force at this moment; goes with "tag".',
  }),
  n: z.coerce.number().int().min(0).optional().openapi({ description: 'Changes at most; clamped.' }),
  last: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'is not from an earlier answer')
    .optional()
    .openapi({ description: '"next" of the page before.' }),
})

const restoreSchema = z
  .strictObject({
    tag: z.string().optional(),
    digest: z.string().optional(),
    at: moment.optional(),
  })
  .openapi('Restore', {
    description:
      'A tag alone goes back to what it was before its last change; with "at" to what it was at that moment; with "digest" to that manifest. A digest alone brings back a deleted manifest with the tags that went with it.',
  })

const restoredSchema = z
  .object({
    repository: z.string(),
    digest: z.string(),
    tags: z.array(z.string()).openapi({ description: 'Tags that point to it by this request.' }),
    manifests: z
      .array(z.string())
      .openapi({ description: 'Manifests that were deleted and are here again.' }),
    missing: z
      .array(z.string())
      .openapi({ description: 'Manifests that an index names and that are not here.' }),
  })
  .openapi('Restored')

const historyRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}/history',
  summary: 'What happened to tags, newest first',
  description:
    'Whoever may pull sees the past of a tag that is there, without names; deleted tags, whole repositories and names are for those who may push.',
  request: { params: nameParameter, query: historyQuery },
  responses: {
    200: {
      description: 'A page of changes.',
      content: { 'application/json': { schema: historySchema } },
    },
  },
})

const restoreRoute = createRoute({
  method: 'post',
  path: '/api/v1/repositories/{name}/restore',
  summary: 'Bring back a tag or a deleted manifest',
  request: {
    params: nameParameter,
    body: { required: true, content: { 'application/json': { schema: restoreSchema } } },
  },
  responses: {
    200: {
      description: 'What is here again.',
      content: { 'application/json': { schema: restoredSchema } },
    },
  },
})

/** The history of tags, and getting back what was deleted. */
export function registerHistory(
  app: OpenAPIHono<WebEnvironment>,
  { registry, log }: Pick<WebParts, 'registry' | 'log'>,
): void {
  app.openapi(historyRoute, async (context) => {
    const { tag, at, n, last } = context.req.valid('query')
    const { items, next } = await registry.listTagHistory(context.get('principal'), {
      repository: parseRepositoryName(context.req.valid('param').name),
      tag: tag === undefined ? null : parseTag(tag),
      at: at === undefined ? null : Date.parse(at),
      last: last === undefined ? null : Number(last),
      n: n ?? null,
    })
    return context.json({ changes: items.map(formatChange), next: next === null ? null : String(next) }, 200)
  })
  app.openapi(restoreRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const input = { repository, ...wishOf(context.req.valid('json')) }
    const principal = context.get('principal')
    const { digest, tags, manifests, missing } = await registry.restore(principal, input)
    log.info('manifest_restore', {
      request_id: String(context.env.outgoing.getHeader('X-Request-Id')),
      ...{ repository, digest, tag: tags.length > 0 ? tags.join(',') : undefined },
      ...{ manifests: manifests.length, missing: missing.length },
      principal: principal.kind === 'user' ? principal.name : principal.kind,
    })
    return context.json({ repository, digest, tags, manifests, missing }, 200)
  })
}

function wishOf({ tag, digest, at }: z.infer<typeof restoreSchema>): RestoreWish {
  const parsed = digest === undefined ? null : parseDigest(digest)
  if (tag !== undefined)
    return { tag: parseTag(tag), digest: parsed, at: at === undefined ? null : Date.parse(at) }
  if (parsed !== null && at === undefined) return { tag: null, digest: parsed, at: null }
  throw new RegistryError(
    'PARAMETER_INVALID',
    'Name a tag, or a digest alone; a moment ("at") goes with a tag.',
  )
}

function formatChange(change: ListedTagChange): z.infer<typeof changeSchema> {
  const { tag, from, to, changedBy, changedAt, manifest, restorableUntil } = change
  return {
    ...{ tag, from, to, changedBy, manifest },
    changedAt: new Date(changedAt).toISOString(),
    restorableUntil: restorableUntil === null ? null : new Date(restorableUntil).toISOString(),
  }
}
