import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ports } from '../settings.ts'
import { nameLifetime, renewBefore } from './names-job.ts'
import type { BuiltDirectory } from './repository-directory.ts'

/** How long blocks of an older directory can be fetched: longer than anybody takes for what was just looked up. */
const keep: Milliseconds = 3_600_000

/** Keeps the directory of a public repository, and has its name lead there. */
export async function storeDirectory(
  { metadata, names }: Pick<Ports, 'metadata' | 'names'>,
  { repository, root, blocks }: BuiltDirectory,
): Promise<void> {
  const { id } = repository
  const name =
    names === null ? null : { publicKey: names.publicKey(id), lifetime: nameLifetime, before: renewBefore }
  await metadata.putDirectory({ repositoryId: id, root, blocks, keep, name })
}
