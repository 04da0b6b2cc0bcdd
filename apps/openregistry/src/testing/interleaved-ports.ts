import { createContentHasher, createMemoryBlobStore } from '@openregistry/blobs'
import type { BlobStore, Lists, MetadataStore, ObjectReader, Ports, StorageKey } from '@openregistry/core'
import { openSqliteMetadataStore } from '@openregistry/metadata'
import { join } from 'node:path'
import { testSettings } from './settings.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Waited for before and after every operation of a port: whoever calls it says who goes on next. */
export type Turn = () => Promise<void>

/** Ports on a new SQLite file and a blob store in memory; every operation waits for its turn. */
export async function interleavedPorts(
  turn: Turn,
): Promise<AsyncDisposable & { ports: Ports; store: BlobStore & Lists }> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const file = join(folder.path, 'openregistry.db')
  const metadata = opened.use(await openSqliteMetadataStore({ file, autoMigrate: true }))
  const store = opened.use(createMemoryBlobStore())
  const hasher = opened.use(createContentHasher({ threads: 1 }))
  const ports: Ports = {
    metadata: inTurns(metadata, turn),
    backends: new Map([[store.backend, new StoreInTurns(store, turn)]]),
    hasher,
    names: null,
    settings: { ...testSettings, backend: store.backend },
  }
  const resources = opened.move()
  return { ports, store, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function inTurns(store: MetadataStore, turn: Turn): MetadataStore {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || typeof name === 'symbol') return method
      return async (...input: unknown[]) => {
        await turn()
        const result: unknown = await (method as (...all: unknown[]) => unknown).apply(target, input)
        await turn()
        return result
      }
    },
  })
}

class StoreInTurns implements BlobStore, Lists {
  readonly #store: BlobStore & Lists
  readonly #turn: Turn

  constructor(store: BlobStore & Lists, turn: Turn) {
    this.#store = store
    this.#turn = turn
  }

  get backend(): string {
    return this.#store.backend
  }

  get public(): boolean {
    return this.#store.public
  }

  async write(key: StorageKey, source: AsyncIterable<Uint8Array>): Promise<{ size: number }> {
    await this.#turn()
    const written = await this.#store.write(key, source)
    await this.#turn()
    return written
  }

  async open(...input: Parameters<BlobStore['open']>): Promise<ObjectReader | null> {
    await this.#turn()
    return this.#store.open(...input)
  }

  async stat(key: StorageKey): Promise<{ size: number } | null> {
    await this.#turn()
    return this.#store.stat(key)
  }

  async delete(key: StorageKey): Promise<void> {
    await this.#turn()
    await this.#store.delete(key)
  }

  async *list(prefix: string): AsyncGenerator<StorageKey, void, undefined> {
    for await (const key of this.#store.list(prefix)) {
      yield key
      await this.#turn()
    }
  }

  check(): Promise<void> {
    return this.#store.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The one beneath belongs to whoever opened it.
  }
}
