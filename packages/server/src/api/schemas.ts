import { z } from '@hono/zod-openapi'

/** A repository in answers. */
export const repositorySchema = z
  .object({ name: z.string(), visibility: z.enum(['public', 'private']) })
  .openapi('Repository')

/** What can be changed of a repository. Anything else in the body is refused: nothing is assigned by accident. */
export const repositoryPatchSchema = z.strictObject({ visibility: z.enum(['public', 'private']) })

/** A page of repositories. */
export const repositoriesSchema = z.object({
  repositories: z.array(repositorySchema),
  next: z.string().nullable().openapi({ description: 'Ask for it as "last" to go on; null at the end.' }),
})

/** A page of tags. */
export const tagsSchema = z.object({
  tags: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      mediaType: z.string(),
      size: z.int().openapi({ description: 'Bytes of the manifest.' }),
      updatedAt: z.iso.datetime(),
    }),
  ),
  next: z.string().nullable(),
})

const annotations = z.record(z.string(), z.string())

/** A descriptor with where its content is. */
export const descriptorSchema = z
  .object({
    digest: z.string(),
    mediaType: z.string(),
    size: z.int(),
    cid: z
      .string()
      .nullable()
      .openapi({ description: 'IPFS address; null when it is not in this repository.' }),
    location: z
      .string()
      .nullable()
      .openapi({ description: '"inline" (in the database) or the name of a backend: where it is read.' }),
    places: z
      .array(
        z.object({
          backend: z.string(),
          state: z.enum(['good', 'damaged', 'missing']),
          verifiedAt: z.iso.datetime().openapi({
            description: 'Compared as it arrived for this repository, or read again and compared.',
          }),
        }),
      )
      .openapi({
        description: 'Every place that has, or had, its bytes for this repository; none for manifests.',
      }),
    pinned: z.array(z.string()).openapi({ description: 'Places on IPFS that pin it.' }),
    platform: z.record(z.string(), z.unknown()).optional(),
    annotations: annotations.optional(),
  })
  .openapi('Descriptor')

/** An image, an index or an artifact, looked at. */
export const imageSchema = z
  .object({
    repository: z.string(),
    reference: z.string(),
    digest: z.string(),
    mediaType: z.string(),
    size: z.int(),
    cid: z.string(),
    location: z.string(),
    artifactType: z.string().nullable(),
    subject: z.string().nullable(),
    annotations: annotations.nullable(),
    config: descriptorSchema.nullable(),
    layers: z.array(descriptorSchema),
    manifests: z.array(descriptorSchema),
  })
  .openapi('Image')

/** Paging of every list. */
export const pageQuery = z.object({
  n: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .openapi({ description: 'Entries at most; clamped to the limit.' }),
  last: z.string().optional().openapi({ description: 'Entries after this one.' }),
})

/** A repository in a path: its name, percent-encoded as one segment (`me%2Fapp`). */
export const nameParameter = z.object({
  name: z.string().openapi({ description: 'The name, with "/" written as %2F.', example: 'me%2Fapp' }),
})

/** A manifest in a path. */
export const imageParameters = nameParameter.extend({
  reference: z.string().openapi({ description: 'A tag or a digest.' }),
})
