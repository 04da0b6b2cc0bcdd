import { S3Server } from '@openregistry/testkit'
import { startReplica, type Settings, type TemporaryRegistry } from './start-registry.ts'

/** Starts a registry whose blobs are in a bucket of an S3 server of its own. */
export async function startTemporaryOnS3(settings: Settings): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await S3Server.start())
  const { endpoint, bucket, accessKey, secretKey } = await server.createBucket()
  const registry = stack.use(
    await startReplica({
      OPEN_REGISTRY_DFS_DEFAULT: 's3',
      OPEN_REGISTRY_DFS_S3_ENDPOINT: endpoint,
      OPEN_REGISTRY_DFS_S3_BUCKET: bucket,
      OPEN_REGISTRY_DFS_S3_ACCESS_KEY: accessKey,
      OPEN_REGISTRY_DFS_S3_SECRET_KEY: secretKey,
      ...settings,
    }),
  )
  const resources = stack.move()
  return { origin: registry.origin, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
