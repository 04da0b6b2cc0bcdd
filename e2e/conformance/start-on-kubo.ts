import { KuboNode } from '@openregistry/testkit'
import { startReplica, type Settings, type TemporaryRegistry } from './start-registry.ts'
import { startReplicasOn } from './start-replicas.ts'

/** Starts something with a Kubo node of its own, and with nothing but its address. */
async function withKubo(
  start: (settings: Settings) => Promise<TemporaryRegistry>,
): Promise<TemporaryRegistry> {
  await using stack = new AsyncDisposableStack()
  const node = stack.use(await KuboNode.start())
  const { origin } = stack.use(await start({ OPEN_REGISTRY_DFS_IPFS_API_URL: node.apiUrl }))
  const resources = stack.move()
  return { origin, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Starts a registry whose blobs are in a Kubo node. */
export function startTemporaryOnKubo(settings: Settings): Promise<TemporaryRegistry> {
  return withKubo((kubo) => startReplica({ ...kubo, ...settings }))
}

/** Starts several registries on one database and one Kubo node, which have nothing else in common. */
export function startTemporaryStack(settings: Settings): Promise<TemporaryRegistry> {
  return withKubo((kubo) => startReplicasOn({ ...kubo, ...settings }))
}

/** The same with a node that is nobody else's, and repositories that are private unless somebody opens them. */
export function startTemporaryPrivateStack(settings: Settings): Promise<TemporaryRegistry> {
  return startTemporaryStack({
    OPEN_REGISTRY_DFS_IPFS_PUBLIC: 'false',
    OPEN_REGISTRY_REPOSITORIES_DEFAULT_VISIBILITY: 'private',
    ...settings,
  })
}
