import { openBlob, operator, type Ports, type RepositoryFacts } from '@openregistry/core'
import { SortedTreeWriter, type Cid, type DagValue } from '@openregistry/dag'
import { RegistryError, type Digest, type RepositoryName } from '@openregistry/oci'
import { sha256 } from '../sha256.ts'
import { BlockSink, type PutBlock } from './block-sink.ts'
import { contentBlocks } from './content-blocks.ts'
import type { EarlierBlocks } from './earlier-blocks.ts'
import { encodeEnvelope } from './envelope.ts'
import type { Seal } from './seal.ts'
import { encodeRepository, encodeRow, type SnapshotContent, type SnapshotRow } from './snapshot-rows.ts'

/** Rows that are read at once. */
const page = 500

/** What is written, and how. */
export interface SnapshotWish {
  scope: 'public' | 'all'
  /** Null: everybody may read it. */
  seal: Seal | null
  /** Whether blobs that lie in backends are written, too; they are never sealed. */
  withBlobs: boolean
  publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
  put: PutBlock
  /** Blocks that need not be put: whoever will read this snapshot has them. */
  earlier?: EarlierBlocks
  /** Told after each repository. */
  onRepository?: (name: RepositoryName, counts: SnapshotCounts) => void
  signal?: AbortSignal
}

/** What a snapshot has. */
export interface SnapshotCounts {
  repositories: number
  tags: number
  manifests: number
  blobs: number
  /** Blobs whose bytes are elsewhere: whoever restores has to fetch them. */
  blobsElsewhere: number
}

/** A snapshot that was written. */
export interface WrittenSnapshot extends SnapshotCounts {
  root: Cid
  createdAt: number
  /** Content that could not be read, which is not in it. */
  unreadable: { repository: RepositoryName; digest: Digest }[]
}

/**
 * Writes the metadata of a registry as a DAG: repositories with their ids, tags, manifests, and under which CID each blob is.
 * What the database holds itself, manifests and small blobs, is in it; blobs of backends are named by CIDs. Memory is some
 * nodes, whatever the size of the registry. Live servers go on meanwhile.
 */
export async function writeSnapshot(ports: Ports, wish: SnapshotWish): Promise<WrittenSnapshot> {
  const writer = new SnapshotWriter(ports, wish)
  return writer.write()
}

class SnapshotWriter {
  readonly #ports: Ports
  readonly #wish: SnapshotWish
  readonly #sink: BlockSink
  readonly #counts: SnapshotCounts = { repositories: 0, tags: 0, manifests: 0, blobs: 0, blobsElsewhere: 0 }
  readonly #unreadable: WrittenSnapshot['unreadable'] = []

  constructor(ports: Ports, wish: SnapshotWish) {
    this.#ports = ports
    const { earlier, put } = wish
    const putNew: PutBlock = async (block) => {
      if (earlier?.has(block.cid) !== true) await put(block)
    }
    this.#wish = { ...wish, put: putNew }
    this.#sink = new BlockSink(putNew, wish.seal)
  }

  async write(): Promise<WrittenSnapshot> {
    const { metadata } = this.#ports
    const { scope, publicKey, sign, put } = this.#wish
    const createdAt = await metadata.databaseTime()
    const tree = this.#tree()
    for (let after: string | null = null; ;) {
      const listed = await metadata.listRepositories(
        { kind: scope === 'all' ? 'all' : 'public' },
        { after, limit: page },
      )
      for (const repository of listed.items) {
        this.#wish.signal?.throwIfAborted()
        await tree.add(...(await this.#repository(repository)))
      }
      after = listed.items.at(-1)?.name ?? null
      if (!listed.more || after === null) break
    }
    const repositories = await tree.finish()
    const parts = await this.#sink.finishLists()
    const { sealed } = this.#sink
    const counts = { repositoryCount: this.#counts.repositories }
    const envelope = encodeEnvelope(
      { publicKey, createdAt, scope, sealed, repositories, parts, ...counts },
      sign,
    )
    const sink = new BlockSink(put, null)
    const root = await sink.node(envelope)
    return { root, createdAt, ...this.#counts, unreadable: this.#unreadable }
  }

  #tree(): SortedTreeWriter {
    return new SortedTreeWriter((bytes) => this.#sink.node(bytes), sha256)
  }

  async #repository({ id, name, visibility }: RepositoryFacts): Promise<[string, DagValue]> {
    const tree = this.#tree()
    const counts = this.#counts
    for await (const row of this.#rows(name)) {
      await tree.add(...encodeRow(row))
      if (row.kind === 'tag') counts.tags++
      else if (row.kind === 'manifest') counts.manifests++
      else {
        counts.blobs++
        if (row.held.length === 0) counts.blobsElsewhere++
      }
    }
    const content = await tree.finish()
    counts.repositories++
    this.#wish.onRepository?.(name, counts)
    return encodeRepository({ id, name, visibility, content })
  }

  /** In the order of their keys, which is the one in which they can be read while others change them. */
  async *#rows(name: RepositoryName): AsyncGenerator<SnapshotRow, void, undefined> {
    const { metadata } = this.#ports
    for (let after: string | null = null; ;) {
      const tags: Awaited<ReturnType<typeof metadata.listTags>> = await metadata.listTags(name, {
        after,
        limit: page,
      })
      for (const { tag, digest } of tags?.page.items ?? []) yield { kind: 'tag', tag, digest }
      after = tags?.page.items.at(-1)?.tag ?? null
      if (after === null || tags?.page.more !== true) break
    }
    for await (const digest of this.#digests(name, 'manifests')) {
      const row = await this.#manifest(name, digest)
      if (row !== null) yield row
    }
    for await (const digest of this.#digests(name, 'blobs')) {
      const row = await this.#blob(name, digest)
      if (row !== null) yield row
    }
  }

  async *#digests(
    name: RepositoryName,
    kind: 'blobs' | 'manifests',
  ): AsyncGenerator<Digest, void, undefined> {
    for (let after: string | null = null; ;) {
      const found: Awaited<ReturnType<Ports['metadata']['listRepositoryContent']>> =
        await this.#ports.metadata.listRepositoryContent(name, kind, { after, limit: page })
      for (const { digest } of found?.items ?? []) yield digest
      after = found?.items.at(-1)?.digest ?? null
      if (after === null || found?.more !== true) return
    }
  }

  /** Null when it was deleted meanwhile. */
  async #manifest(name: RepositoryName, digest: Digest): Promise<SnapshotRow | null> {
    const found = await this.#ports.metadata.findManifest(name, { kind: 'digest', digest }, { bytes: true })
    const manifest = found?.manifest ?? null
    if (manifest === null) return null
    const { cid, size, mediaType, bytes } = manifest
    if (bytes?.length !== size) {
      this.#unreadable.push({ repository: name, digest })
      return null
    }
    return { kind: 'manifest', digest, mediaType, cid, size, held: await this.#held([bytes], { cid, size }) }
  }

  /** Null when no manifest needs it: an upload that is not over, or a deletion that is not done. */
  async #blob(name: RepositoryName, digest: Digest): Promise<SnapshotRow | null> {
    const found = await this.#ports.metadata.findBlob(name, digest, { bytes: true })
    const blob = found?.blob ?? null
    if (blob === null || blob.leaseUntil !== null || blob.unreferencedSince !== null) return null
    const { cid, size, location } = blob
    const row = { kind: 'blob', digest, cid, size } as const
    if (location === null) {
      this.#unreadable.push({ repository: name, digest })
      return { ...row, held: [] }
    }
    if (location.kind === 'inline') return { ...row, held: await this.#held([location.bytes], { cid, size }) }
    // What stands in an earlier one is not even read.
    if (this.#wish.withBlobs && this.#wish.earlier?.hasBelow(cid) !== true) {
      await this.#copyBlob(name, digest, size)
    }
    return { ...row, held: [] }
  }

  /** Writes content into the snapshot. @returns what its row leads to. */
  async #held(chunks: Iterable<Uint8Array>, { cid, size }: Omit<SnapshotContent, 'held'>): Promise<Cid[]> {
    const pieces: Cid[] = []
    for await (const block of contentBlocks(chunks, size)) {
      const isLeaf = pieces.length * 1024 * 1024 < Math.max(1, size)
      if (isLeaf) pieces.push(await this.#sink.piece(block))
      else if (!this.#sink.sealed) await this.#sink.open(block)
    }
    return this.#sink.sealed ? pieces : [cid]
  }

  async #copyBlob(repository: RepositoryName, digest: Digest, size: number): Promise<void> {
    try {
      await using opened = await openBlob(this.#ports, operator, { repository, digest })
      const chunks = opened.chunks ?? [opened.bytes ?? new Uint8Array()]
      for await (const block of contentBlocks(chunks, size)) await this.#sink.open(block)
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      this.#unreadable.push({ repository, digest })
    }
  }
}
