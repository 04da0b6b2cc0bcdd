import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { TagStorage } from '@openregistry/core'
import { parseRepositoryName } from '@openregistry/oci'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { nameParameter, pageQuery } from './schemas.ts'

const tagSchema = z
  .object({
    name: z.string(),
    digest: z.string(),
    blobs: z.int().openapi({ description: 'Layers and configs, of all images of an index; each once.' }),
    bytes: z.int(),
    stored: z.array(
      z.object({
        backend: z.string().openapi({ description: '"inline": in the database.' }),
        blobs: z.int().openapi({ description: 'Whose bytes are good there.' }),
        bytes: z.int(),
        verifiedAt: z.iso
          .datetime()
          .openapi({ description: 'When the one was verified that was not for longest.' }),
      }),
    ),
    missing: z.int().openapi({ description: 'Blobs without good bytes anywhere.' }),
    pinned: z
      .array(z.object({ backend: z.string(), since: z.iso.datetime() }))
      .openapi({ description: 'Backends on IPFS that hold its layout, and since when.' }),
    announced: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'When the DHT was last told of its layout; null when nobody remembers it.' }),
  })
  .openapi('TagStorage')

const storageSchema = z.object({
  tags: z.array(tagSchema),
  next: z.string().nullable().openapi({ description: 'Ask for it as "last" to go on; null at the end.' }),
})

const storageRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}/storage',
  summary: 'Where the content of tags is stored and pinned, and when that was verified and announced',
  request: { params: nameParameter, query: pageQuery },
  responses: {
    200: {
      description: 'A page of tags, by name; 100 at most.',
      content: { 'application/json': { schema: storageSchema } },
    },
  },
})

/** Where content is. */
export function registerStorage(
  app: OpenAPIHono<WebEnvironment>,
  { registry }: Pick<WebParts, 'registry'>,
): void {
  app.openapi(storageRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const { n, last } = context.req.valid('query')
    const input = { repository, n: n ?? null, last: last ?? null }
    const { items, next } = await registry.listTagStorage(context.get('principal'), input)
    return context.json({ tags: items.map(formatTag), next }, 200)
  })
}

function formatTag({ tag: name, stored, pinned, announced, ...rest }: TagStorage): z.infer<typeof tagSchema> {
  const amounts = stored.map(({ verifiedAt, ...amount }) => {
    return { ...amount, verifiedAt: new Date(verifiedAt).toISOString() }
  })
  const pins = pinned.map(({ backend, since }) => ({ backend, since: new Date(since).toISOString() }))
  const told = announced === null ? null : new Date(announced).toISOString()
  return { name, ...rest, stored: amounts, pinned: pins, announced: told }
}
