import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { RegistryError, parseReference, parseRepositoryName } from '@openregistry/oci'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { nameParameter } from './schemas.ts'

const cidSchema = z
  .object({
    repository: z.string(),
    reference: z
      .string()
      .nullable()
      .openapi({ description: 'As it was asked for; null for the repository.' }),
    digest: z.string().nullable().openapi({ description: 'Of the image; null for the repository.' }),
    cid: z.string(),
    size: z.int().openapi({ description: 'Bytes of all blocks, those of every image included.' }),
    visibility: z
      .enum(['public', 'private'])
      .openapi({ description: 'Nothing is found under the CID unless the repository is public.' }),
    ipns: z.string().nullable().openapi({
      description:
        'The name in IPNS that leads to the newest directory while the repository is public; null for an image.',
    }),
    tags: z.int().nullable().openapi({ description: 'Tags in the directory; null for an image.' }),
    leftOut: z
      .array(z.string())
      .openapi({ description: 'Tags that are not in the directory: their images are not whole here.' }),
  })
  .openapi('Cid')

const cidRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}/cid',
  summary: 'The CID of an image, or of a repository',
  description:
    'An image is a UnixFS directory that is a complete OCI image layout; a repository is a directory of those, one for each tag. The CID of an image follows from its digest alone; that of a repository is another one after each push, and its name in IPNS leads to the newest.',
  request: {
    params: nameParameter,
    query: z.object({
      reference: z
        .string()
        .optional()
        .openapi({ description: 'A tag or a digest. Without it: of the repository.' }),
      form: z.enum(['layout', 'nerdctl']).optional().openapi({
        description:
          'Of an image: a complete OCI image layout (without it, too), or the descriptor from which nerdctl and the stargz snapshotter go on by ipfs:// addresses. What was pushed stays as it is.',
      }),
    }),
  },
  responses: {
    200: {
      description: 'The CID.',
      content: { 'application/json': { schema: cidSchema } },
    },
  },
})

/** CIDs of images and repositories. */
export function registerCids(
  app: OpenAPIHono<WebEnvironment>,
  { registry }: Pick<WebParts, 'registry'>,
): void {
  app.openapi(cidRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const { reference = null, form = 'layout' } = context.req.valid('query')
    const principal = context.get('principal')
    if (reference === null) {
      if (form !== 'layout') throw formOfRepository(form)
      const found = await registry.repositoryCid(principal, { repository })
      return context.json({ repository, reference, digest: null, ...found }, 200)
    }
    const wanted = { repository, reference: parseReference(reference), form }
    const found = await registry.imageCid(principal, wanted)
    return context.json({ repository, reference, ...found, ipns: null, tags: null, leftOut: [] }, 200)
  })
}

function formOfRepository(form: string): RegistryError {
  return new RegistryError(
    'PARAMETER_INVALID',
    `The form "${form}" is one of an image: name it with "reference".`,
  )
}
