import type { MetadataStore } from '@openregistry/core'

/** Has all rows follow the visibility of their repositories, a few at a time. Answers how many repositories were done. */
export async function settleAll(store: MetadataStore, limit = 2): Promise<number> {
  let settled = 0
  const unsettled = await store.listUnsettled('', 10_000)
  for (const repository of unsettled) {
    for (const content of ['blobs', 'manifests'] as const) {
      let after: string | null = ''
      while (after !== null) after = await store.settleContent({ ...repository, content, after, limit })
    }
    settled += Number(await store.endSettling(repository))
  }
  return settled
}
