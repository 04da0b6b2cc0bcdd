import { afterAll, beforeAll } from 'vitest'
import type { MetadataStore } from '@openregistry/core'

/** A store that holds nothing yet, and how to get rid of it. */
export interface OpenedMetadataStore {
  store: MetadataStore
  close(): Promise<void>
}

/** Opens a store that holds nothing yet. */
export type OpenMetadataStore = () => Promise<OpenedMetadataStore>

/**
 * One store for all tests of a `describe`. They keep apart by repositories of their own; those that look at something
 * global open a store for themselves.
 */
export function sharedStore(open: OpenMetadataStore): () => MetadataStore {
  let opened: OpenedMetadataStore | null = null
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => {
    await opened?.close()
  })
  return () => {
    if (opened === null) throw new Error('The store is not open yet.')
    return opened.store
  }
}
