import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresCluster } from '@openregistry/testkit'
import { Balancer } from '../support/balancer.ts'
import { startReplica, type Settings, type TemporaryRegistry } from './start-registry.ts'

/** How many replicas share the work. */
const replicas = 3

/**
 * Starts several registries on one PostgreSQL database and one folder of blobs, behind a balancer without affinity: to
 * a client they are one registry.
 */
export async function startTemporaryReplicas(settings: Settings): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const blobs = await mkdtemp(join(tmpdir(), 'openregistry-blobs-'))
  stack.defer(() => rm(blobs, { recursive: true }))
  const { origin } = stack.use(await startReplicasOn({ OPEN_REGISTRY_DFS_DISK_PATH: blobs, ...settings }))
  const resources = stack.move()
  return { origin, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** The same on one database; the settings say what else they share. */
export async function startReplicasOn(settings: Settings): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await PostgresCluster.start({ settings: { max_connections: '200' } }))
  const database = await cluster.createDatabase()
  const secrets = await mkdtemp(join(tmpdir(), 'openregistry-secrets-'))
  stack.defer(() => rm(secrets, { recursive: true }))
  const started = await Promise.all(
    Array.from({ length: replicas }, () =>
      startReplica({
        OPEN_REGISTRY_DB_HOST: database.host,
        OPEN_REGISTRY_DB_PORT: String(database.port),
        OPEN_REGISTRY_DB_USER: database.user,
        OPEN_REGISTRY_DB_PASSWORD: database.password,
        OPEN_REGISTRY_DB_NAME: database.name,
        OPEN_REGISTRY_KEYS_FILE: join(secrets, 'keys.json'),
        ...settings,
      }),
    ),
  )
  for (const replica of started) stack.use(replica)
  const balancer = stack.use(await Balancer.start(started.map((replica) => replica.origin)))
  const resources = stack.move()
  return { origin: balancer.origin, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
