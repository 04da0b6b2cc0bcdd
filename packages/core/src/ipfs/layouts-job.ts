import type { JobKind } from '../jobs/job-kind.ts'
import type { RepositoryFacts } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import type { LayoutPorts } from './layout-of.ts'
import { buildDirectory } from './repository-directory.ts'
import { storeDirectory } from './store-directory.ts'

/** What names lead to is stored with it. */
type DirectoryPorts = LayoutPorts & Pick<Ports, 'names'>

/** Changes of tags that are looked at together: those of one repository cost one directory. */
const batch = 1000

/** What a run did. */
export interface StoredLayouts {
  /** Repositories whose directory is what their tags are. */
  repositories: number
  tags: number
}

/**
 * Computes and keeps the layouts of what public tags point to, and the directories of their repositories, for all changes
 * since the last time. Changes are forgotten after that, so whoever is killed in between leaves them to the next one.
 * @throws the first error of a repository, after all others are done.
 */
export async function storeLayouts(ports: DirectoryPorts, signal?: AbortSignal): Promise<StoredLayouts> {
  const done: StoredLayouts = { repositories: 0, tags: 0 }
  const faults: unknown[] = []
  for (let after = 0; ;) {
    const changes = await ports.metadata.listTagChanges(after, batch)
    const failed = new Set<string>()
    for (const repository of distinct(changes.map((change) => change.repository))) {
      try {
        const tags = await storeOne(ports, repository, signal)
        if (signal?.aborted === true) return done
        done.repositories++
        done.tags += tags
      } catch (error) {
        failed.add(repository.id)
        faults.push(error)
      }
    }
    const seen = changes.filter(({ repository }) => repository === null || !failed.has(repository.id))
    if (seen.length > 0) await ports.metadata.forgetTagChanges(seen.map(({ id }) => id))
    const last = changes.at(-1)
    if (last === undefined || changes.length < batch) break
    after = last.id
  }
  if (faults.length > 0) throw faults[0]
  return done
}

async function storeOne(
  ports: DirectoryPorts,
  { name }: RepositoryFacts,
  signal: AbortSignal | undefined,
): Promise<number> {
  const directory = await buildDirectory(ports, name, signal)
  if (directory === null) return 0
  await storeDirectory(ports, directory)
  return directory.tags
}

function distinct(repositories: readonly (RepositoryFacts | null)[]): RepositoryFacts[] {
  const known = repositories.filter((repository) => repository !== null)
  return [...new Map(known.map((repository) => [repository.id, repository])).values()]
}

/** Does so a few seconds after tags changed; many changes in that time are one. */
export function layoutsJob(ports: DirectoryPorts): JobKind {
  return {
    name: 'registry.layouts',
    event: 'layouts_stored',
    period: 10_000,
    attempts: 10,
    async run({ signal }) {
      const done = await storeLayouts(ports, signal)
      return done.repositories === 0 ? null : { ...done }
    },
  }
}
