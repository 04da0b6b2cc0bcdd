import { join } from 'node:path'
import type { StorageKey } from '@openregistry/core'

const fileForm = /^([0-9a-f]{32})\.([0-9a-f]{32})$/

/** The shard folders, `00` to `ff`: a folder of millions of names is slow to list and to sync. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_, index) =>
  index.toString(16).padStart(2, '0'),
)

/** The folder of all objects of an upload: the first two digits of its id, which is random. */
export function shardOf(key: StorageKey): string {
  return key.slice(0, 2)
}

/** `<root>/<shard>/<upload>.<random>`: one file, and no folder that somebody would have to tidy up. */
export function objectPath(root: string, key: StorageKey): string {
  return join(root, shardOf(key), key.replace('/', '.'))
}

/** The key of a file in a shard folder, or null when the file is not one of ours. */
export function keyOfFile(shard: string, name: string): StorageKey | null {
  if (!fileForm.test(name) || !name.startsWith(shard)) return null
  return name.replace('.', '/') as StorageKey
}
