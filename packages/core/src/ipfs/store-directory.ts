import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import type { BuiltDirectory } from './repository-directory.ts'

/** How long blocks of an older directory can be fetched: longer than anybody takes for what was just looked up. */
const keep: Milliseconds = 3_600_000

/** Keeps the directory of a public repository. */
export async function storeDirectory(
  { metadata }: Pick<Ports, 'metadata'>,
  { repository, root, blocks }: BuiltDirectory,
): Promise<void> {
  await metadata.putDirectory({ repositoryId: repository.id, root, blocks, keep })
}
