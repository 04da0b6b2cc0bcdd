import type { CollectionStep, MetadataStore, PlacementRules, StorageKey } from '@openregistry/core'
import type { OpenMetadataStore } from './opened.ts'
import { diskAlone, hour, pendingKeys, type Pushed } from './actions.ts'

/** A lease that is over at once. */
export const noLease = { lease: 0 }

/** What is kept longer than any test runs. */
export const longGrace = 1000 * hour

/** Takes every step of the collector until none finds anything; adds up what they did. */
export async function collectAll(
  store: MetadataStore,
  {
    grace = 0,
    limit = 100,
    rules = diskAlone,
  }: { grace?: number; limit?: number; rules?: PlacementRules } = {},
): Promise<Omit<CollectionStep, 'more'>> {
  const total = { repositories: 0, manifests: 0, links: 0, blobs: 0, bytes: 0 }
  for (;;) {
    let more = false
    const steps = [
      () => store.emptyRepositories({ limit }),
      () => store.collectManifests({ grace, limit }),
      () => store.collectLinks({ grace, limit }),
      () => store.collectBlobs({ limit, rules }),
    ]
    for (const step of steps) {
      const done = await step()
      for (const key of Object.keys(total) as (keyof typeof total)[]) {
        total[key] += done[key]
        more ||= done[key] > 0
      }
      more ||= done.more
    }
    if (!more) return total
  }
}

/** The key of a pushed blob's object. */
export function keyOf({ stored }: Pushed): StorageKey {
  if (stored.kind !== 'object') throw new Error('The blob is bytes of a row.')
  return stored.key
}

/** Whether the object of a blob was given up. */
export async function isGivenUp(store: MetadataStore, blob: Pushed): Promise<boolean> {
  return (await pendingKeys(store)).includes(keyOf(blob))
}

/** Gives a store of its own to a test: collection looks at everything. */
export function aloneIn(open: OpenMetadataStore) {
  return (body: (store: MetadataStore) => Promise<void>) => async () => {
    const { store, close } = await open()
    try {
      await body(store)
    } finally {
      await close()
    }
  }
}
