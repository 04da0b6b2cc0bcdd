import type { BlobUse, MetadataStore } from '@openregistry/core'
import type { ScrubSummary } from './report.ts'

/** Damaged places that a summary names at most. */
const namedAtMost = 1000
/** Repositories that are named for each, and images of each of those. */
const usesAtMost = 20

/**
 * Everything that is damaged now, whoever has found it and when; of one repository only what that repository has. What
 * somebody has pushed again in the meantime is not among it.
 */
export async function knownDamage(metadata: MetadataStore, summary: ScrubSummary): Promise<void> {
  const { items, more } = await metadata.listDamage({ after: null, limit: namedAtMost })
  summary.moreDamaged = more
  const causes = new Map(summary.found.map(({ digest, backend, cause }) => [`${digest} ${backend}`, cause]))
  for (const { blobId, place, state, sha256, size, served } of items) {
    const backend = place.kind === 'object' ? place.backend : 'inline'
    const uses = await metadata.listBlobUses(blobId, usesAtMost)
    if (!concerns(uses, summary)) continue
    summary.damaged.push({
      digest: sha256,
      size,
      state,
      backend,
      key: place.kind === 'object' ? place.key : null,
      cause: causes.get(`${sha256} ${backend}`) ?? null,
      served,
      repositories: uses,
    })
  }
}

function concerns(uses: readonly BlobUse[], { repository }: ScrubSummary): boolean {
  return repository === null || uses.some((use) => use.repository === repository)
}
