import { createContentHasher } from '@openregistry/blobs'
import { reportsCids, type BlobStore } from '@openregistry/core'
import { RegistryError } from '@openregistry/oci'
import type { Config } from '@openregistry/server/config'
import { openBackends } from '../open-backends.ts'
import { compareCids } from './compare-cids.ts'
import { failed, ok, type Finding } from './finding.ts'

/** Backends across a network: whether each would take an object now. */
export async function checkBackends(config: Config): Promise<Finding[]> {
  await using opened = new AsyncDisposableStack()
  // The disk is looked at by itself, without making its folders.
  const { dfs } = config
  const withoutDisk = { ...config, dfs: { ...dfs, disk: { ...dfs.disk, path: null } } }
  const stores = await openBackends(withoutDisk, opened, { hasher: opened.use(createContentHasher()) })
  return (await Promise.all(stores.map(checkBackend))).flat()
}

async function checkBackend(store: BlobStore): Promise<Finding[]> {
  const check = `backend ${store.backend}`
  try {
    await store.check()
    const good = ok(check, 'would take an object now')
    return reportsCids(store) ? [good, await compareCids(store, check)] : [good]
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const { cause } = error
    return [failed(check, cause instanceof Error ? cause.message : error.message, 'Do what it says.')]
  }
}
