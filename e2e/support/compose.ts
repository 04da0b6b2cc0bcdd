import { findPeer } from './peers.ts'
import { Program } from './program.ts'
import type { DockerEngine } from './docker-engine.ts'

/** Docker Compose: the plugin of the client, or the program of its own; null where there is neither. */
export async function findCompose({ docker }: DockerEngine): Promise<Program | null> {
  const alone = findPeer('docker-compose')
  if (alone !== null) return docker.as(alone)
  const plugin = await docker.attempt('compose', 'version')
  return plugin.code === 0 ? docker.as(docker.path, 'compose') : null
}
