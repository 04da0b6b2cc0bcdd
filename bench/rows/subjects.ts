import { referrersRepository, type SeedManifest } from '../seed/contents.ts'
import type { Ground } from './row.ts'

/** The manifests of `bench/referrers` that others name, each with those that do. */
export function subjectsOf(manifests: Iterable<SeedManifest>): Ground['subjects'] {
  const found = new Map<string, string[]>()
  for (const { digest, subject } of manifests) {
    if (subject === null) found.set(digest, [])
    else found.get(subject)?.push(digest)
  }
  return Array.from(found, ([digest, referrers]) => ({
    repository: referrersRepository,
    digest,
    referrers: referrers.sort(),
  }))
}
