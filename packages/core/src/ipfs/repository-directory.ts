import {
  cidParts,
  dagPbCodec,
  sha256Code,
  unixfsDirectorySteps,
  type Cid,
  type DirectoryEntry,
} from '@openregistry/dag'
import { RegistryError, type RepositoryName, type Tag } from '@openregistry/oci'
import type { HashedBlock, TaggedLayout } from '../ports/ipfs.ts'
import type { Milliseconds, RepositoryFacts, Visibility } from '../ports/metadata-store.ts'
import { inTurns, nextTurn } from './in-turns.ts'
import { computeLayout, isReady, type LayoutPorts, type LayoutRoot } from './layout-of.ts'

/** Tags that are read at once. */
const page = 500

/** After this long it is looked again whether an image has become whole. Its parts may come without any tag. */
const lookAgain: Milliseconds = 600_000

/** The directory of a repository's tags. */
export interface BuiltDirectory {
  repository: RepositoryFacts
  cid: Cid
  root: Uint8Array
  /** Bytes of all blocks. */
  size: number
  blocks: HashedBlock[]
  /** How many tags are in it. */
  tags: number
  /** Tags that are not: their images are not whole here. */
  leftOut: Tag[]
}

/**
 * The UnixFS directory `<tag> → image layout` of a repository. Layouts are computed once for each manifest, so one more push
 * costs its own and the encoding of the directory.
 * @returns null when the repository is not there, or the signal aborted.
 */
export async function buildDirectory(
  ports: LayoutPorts,
  name: RepositoryName,
  signal?: AbortSignal,
): Promise<BuiltDirectory | null> {
  const entries: DirectoryEntry[] = []
  const leftOut: Tag[] = []
  for (let after: Tag | null = null; ;) {
    const found = await ports.metadata.listTaggedLayouts(name, { after, limit: page })
    if (found === null) return null
    const { repository, page: tags } = found
    for (const tagged of tags.items) {
      if (signal?.aborted === true) return null
      const layout = await layoutOf(ports, name, repository.visibility, tagged)
      if (layout === null) leftOut.push(tagged.tag)
      else entries.push(entryOf(tagged.tag, layout))
    }
    after = tags.items.at(-1)?.tag ?? null
    if (!tags.more) return { repository, ...(await encode(ports, entries)), tags: entries.length, leftOut }
    await nextTurn()
  }
}

async function layoutOf(
  ports: LayoutPorts,
  repository: RepositoryName,
  visibility: Visibility,
  { digest, layout }: TaggedLayout,
): Promise<LayoutRoot | null> {
  if (isReady(layout, visibility)) return layout
  if (layout !== null && layout.root === null && layout.age < lookAgain) return null
  const computed = await computeLayout(ports, { repository, digest })
  return computed instanceof RegistryError ? null : computed
}

function entryOf(name: Tag, { root, size }: LayoutRoot): DirectoryEntry {
  return { name, cid: { version: 1, codec: dagPbCodec, hash: sha256Code, digest: root }, size }
}

async function encode(
  { hasher }: LayoutPorts,
  entries: readonly DirectoryEntry[],
): Promise<Pick<BuiltDirectory, 'cid' | 'root' | 'size' | 'blocks'>> {
  const sha256 = (bytes: Uint8Array): Uint8Array => hasher.hashInline(bytes, { sha512: false }).sha256
  const { cid, size, blocks } = await inTurns(unixfsDirectorySteps(entries, sha256))
  return {
    cid,
    root: cidParts(cid).digest,
    size,
    blocks: blocks.map(({ cid: own, bytes }) => ({ sha256: cidParts(own).digest, bytes })),
  }
}
