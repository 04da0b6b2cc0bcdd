import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { RegistryError, parseReference, parseRepositoryName } from '@openregistry/oci'
import type { LocatedDescriptor } from '@openregistry/core'
import type { z } from 'zod'
import type { WebEnvironment, WebParts } from '../web/parts.ts'
import { registerCids } from './cids.ts'
import { registerHistory } from './history.ts'
import { registerMoves } from './moves.ts'
import { registerStorage } from './storage.ts'
import {
  imageParameters,
  imageSchema,
  nameParameter,
  pageQuery,
  repositoriesSchema,
  repositoryPatchSchema,
  repositorySchema,
  tagsSchema,
  type descriptorSchema,
} from './schemas.ts'

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

const listRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories',
  summary: 'Repositories that the caller may see',
  request: { query: pageQuery },
  responses: { 200: json(repositoriesSchema, 'A page of repositories, by name.') },
})

const getRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}',
  summary: 'One repository',
  request: { params: nameParameter },
  responses: { 200: json(repositorySchema, 'The repository.') },
})

const patchRoute = createRoute({
  method: 'patch',
  path: '/api/v1/repositories/{name}',
  summary: 'Change a repository',
  request: {
    params: nameParameter,
    body: { required: true, content: { 'application/json': { schema: repositoryPatchSchema } } },
  },
  responses: { 200: json(repositorySchema, 'The repository as it is now.') },
})

const deleteRoute = createRoute({
  method: 'delete',
  path: '/api/v1/repositories/{name}',
  summary: 'Delete a repository with everything in it',
  request: { params: nameParameter },
  responses: { 204: { description: 'It is gone.' } },
})

const tagsRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}/tags',
  summary: 'Tags with what they point to',
  request: { params: nameParameter, query: pageQuery },
  responses: { 200: json(tagsSchema, 'A page of tags, by name.') },
})

const imageRoute = createRoute({
  method: 'get',
  path: '/api/v1/repositories/{name}/manifests/{reference}',
  summary: 'An image with digest, size, CID and location of every part',
  request: { params: imageParameters },
  responses: { 200: json(imageSchema, 'The image.') },
})

/** The management API. Every handler asks a use case, and so the gate. */
export function registerApi(app: OpenAPIHono<WebEnvironment>, { registry, log }: WebParts): void {
  app.defaultHook = (result) => {
    if (!result.success) throw new RegistryError('PARAMETER_INVALID', describe(result.error))
  }
  app.openapi(listRoute, async (context) => {
    const { n, last } = context.req.valid('query')
    const { items, next } = await registry.listRepositories(context.get('principal'), {
      n: n ?? null,
      last: last ?? null,
    })
    return context.json(
      { repositories: items.map(({ name, visibility }) => ({ name, visibility })), next },
      200,
    )
  })
  app.openapi(getRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const { name, visibility } = await registry.getRepository(context.get('principal'), { repository })
    return context.json({ name, visibility }, 200)
  })
  app.openapi(patchRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const change = context.req.valid('json')
    const { name, visibility } = await registry.setVisibility(context.get('principal'), {
      repository,
      ...change,
    })
    return context.json({ name, visibility }, 200)
  })
  app.openapi(deleteRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    await registry.deleteRepository(context.get('principal'), { repository })
    return context.body(null, 204)
  })
  app.openapi(tagsRoute, async (context) => {
    const repository = parseRepositoryName(context.req.valid('param').name)
    const { n, last } = context.req.valid('query')
    const page = await registry.listTags(context.get('principal'), {
      repository,
      n: n ?? null,
      last: last ?? null,
    })
    const tags = page.items.map(({ tag, digest, mediaType, size, updatedAt }) => {
      return { name: tag, digest, mediaType, size, updatedAt: new Date(updatedAt).toISOString() }
    })
    return context.json({ tags, next: page.next }, 200)
  })
  app.openapi(imageRoute, async (context) => {
    const { name, reference } = context.req.valid('param')
    const input = { repository: parseRepositoryName(name), reference: parseReference(reference) }
    const { manifest, parsed, ...parts } = await registry.inspectImage(context.get('principal'), input)
    const { digest, mediaType, size, cid } = manifest
    const image = {
      repository: input.repository,
      reference,
      digest,
      mediaType,
      size,
      cid,
      location: 'inline',
      artifactType: parsed.artifactType,
      subject: parsed.subject?.digest ?? null,
      annotations: parsed.annotations,
      config: parts.config === null ? null : formatDescriptor(parts.config),
      layers: parts.layers.map(formatDescriptor),
      manifests: parts.manifests.map(formatDescriptor),
    }
    return context.json(image, 200)
  })
  registerHistory(app, { registry, log })
  registerCids(app, { registry })
  registerMoves(app, { registry, log })
  registerStorage(app, { registry })
  app.doc31('/api/v1/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'OpenRegistry', version: '1', description: 'Errors are problem documents (RFC 9457).' },
  })
}

function formatDescriptor({
  descriptor,
  cid,
  location,
  places,
  pinned,
}: LocatedDescriptor): z.infer<typeof descriptorSchema> {
  const { digest, mediaType, size, platform, annotations } = descriptor
  return {
    digest,
    mediaType,
    size,
    cid,
    location,
    places: places.map(({ verifiedAt, ...place }) => {
      return { ...place, verifiedAt: new Date(verifiedAt).toISOString() }
    }),
    pinned: [...pinned],
    ...(platform === undefined ? {} : { platform: { ...platform } }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

function describe(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
}
