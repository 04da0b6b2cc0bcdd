import { createContentHasher } from '@openregistry/blobs'
import {
  collect,
  placementOf,
  scrubJob,
  sweep,
  type BlobStore,
  type MetadataStore,
  type Ports,
} from '@openregistry/core'
import type { Config } from '@openregistry/server/config'
import { settingsOf } from '../../../apps/openregistry/src/composition.ts'
import type { Chore } from './messages.ts'

let hasher: Ports['hasher'] | null = null

/** The same work as the jobs of the background, whenever the harness wants it. */
export async function doChore(
  chore: Chore,
  config: Config,
  stores: { blobs: BlobStore; metadata: MetadataStore },
): Promise<unknown> {
  const ports = portsOf(config, stores, (hasher ??= createContentHasher()))
  switch (chore) {
    case 'sweep':
      return sweep(ports)
    case 'collect':
      return collect(ports)
    case 'collect at once':
      return collectAtOnce(ports)
    case 'scrub':
      return scrub(ports)
  }
}

/** Every step of a collection once, in batches so small that several who do this meet in the middle. */
async function collectAtOnce(ports: Ports): Promise<unknown> {
  const { metadata, settings } = ports
  const [limit, grace] = [20, settings.grace]
  return {
    repositories: (await metadata.emptyRepositories({ limit })).repositories,
    manifests: (await metadata.collectManifests({ grace, limit })).manifests,
    links: (await metadata.collectLinks({ grace, limit })).links,
    blobs: (await metadata.collectBlobs({ limit, rules: placementOf(ports) })).blobs,
  }
}

/** Reads again what was not read for half a second, for a second at most. */
async function scrub(ports: Ports): Promise<unknown> {
  const signal = AbortSignal.timeout(1000)
  try {
    return await scrubJob(ports, { rate: 0, interval: 500 }).run({ payload: '', signal })
  } catch (error) {
    if (!signal.aborted) throw error
    return 'did not come to an end'
  }
}

function portsOf(
  config: Config,
  { blobs, metadata }: { blobs: BlobStore; metadata: MetadataStore },
  contentHasher: Ports['hasher'],
): Ports {
  return {
    metadata,
    backends: new Map([[blobs.backend, blobs]]),
    hasher: contentHasher,
    names: null,
    settings: settingsOf(config),
  }
}
