import { lists, type StorageKey } from '@openregistry/core'
import type { FaultyBlobStore } from '@openregistry/testkit'
import type { SeveralBackends } from './several-backends.ts'

/** What a backend holds. */
export async function keysIn(store: FaultyBlobStore): Promise<StorageKey[]> {
  if (!lists(store)) throw new Error('The backend does not list.')
  const keys: StorageKey[] = []
  for await (const key of store.list('')) keys.push(key)
  return keys
}

/** Objects of a backend that no row leads to, not even that of a session. */
export async function unnamedIn(
  { metadata, store }: SeveralBackends,
  backend: keyof SeveralBackends['store'],
): Promise<StorageKey[]> {
  const found = await metadata.noteSurplus({ backend, keys: await keysIn(store[backend]), age: 0 })
  return found.map(({ key }) => key)
}
