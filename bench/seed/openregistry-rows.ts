import { rawCid } from '@openregistry/dag'
import { digestBytes, type Digest } from '@openregistry/oci'
import { seedRepositories, type SeedBlob, type SeedManifest, type SeedSizes } from './contents.ts'

/** What a column of ours may hold. */
export type SeedValue = string | number | boolean | Uint8Array | null

/** The tables that are filled and their columns, in the order of the values; others keep their defaults. */
export const seedColumns = {
  repositories: ['id', 'name', 'visibility', 'listed', 'created_at'],
  blobs: ['id', 'sha256', 'size', 'cid', 'created_at', 'leaves'],
  blob_locations: ['id', 'blob_id', 'backend', 'key', 'state', 'verified_at', 'bytes'],
  repository_blobs: ['repository_id', 'digest', 'blob_id', 'namespace', 'lease_until'],
  manifests: [
    ...['id', 'repository_id', 'digest', 'blob_id', 'size', 'media_type', 'artifact_type', 'subject'],
    ...['annotations', 'pushed_by', 'pushed_at'],
  ],
  manifest_refs: ['manifest_id', 'digest', 'repository_id', 'kind', 'live'],
  tags: ['repository_id', 'name', 'manifest_id', 'updated_at', 'updated_by'],
  tag_history: ['id', 'repository_id', 'tag', 'to_digest', 'changed_by', 'changed_at'],
} as const

export type SeedTable = keyof typeof seedColumns

/** Tables whose ids are given by the database, which has to be told where to go on. */
export const numberedTables: readonly SeedTable[] = ['blobs', 'blob_locations', 'manifests', 'tag_history']

/** Takes the rows of all tables, mixed, in an order that foreign keys allow. */
export type RowSink = (table: SeedTable, values: readonly SeedValue[]) => void

const principal = 'anonymous'

/** Ids like those of UUIDs of version 7, in order. */
export function seedId(index: number): string {
  return `01900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
}

/** Writes blobs with their only location. */
export class BlobRows {
  readonly #sink: RowSink
  readonly #now: number
  #lastId = 0

  constructor(sink: RowSink, now: number) {
    this.#sink = sink
    this.#now = now
  }

  /** @param key of its object in the backend `disk`, or null for bytes in the database. @returns its id */
  add(digest: string, size: number, stored: { key: string } | { bytes: Uint8Array }): number {
    const id = ++this.#lastId
    const now = this.#now
    // Up to 1 MiB a blob is its only leaf.
    const sha256 = digestBytes(digest as Digest)
    this.#sink('blobs', [id, digest, size, rawCid(sha256), now, sha256])
    const inline = 'bytes' in stored
    this.#sink('blob_locations', [
      ...[id, id, inline ? 'inline' : 'disk', inline ? null : stored.key, 'good', now],
      inline ? stored.bytes : null,
    ])
    return id
  }
}

/** The rows of one repository. */
class RepositoryRows {
  readonly #sink: RowSink
  readonly #blobs: BlobRows
  readonly #id: string
  readonly #namespace: string
  readonly #now: number
  readonly #linked = new Set<string>()

  constructor(sink: RowSink, blobs: BlobRows, repository: { id: string; name: string; now: number }) {
    this.#sink = sink
    this.#blobs = blobs
    this.#id = repository.id
    this.#now = repository.now
    this.#namespace = repository.name.slice(0, repository.name.indexOf('/'))
    sink('repositories', [this.#id, repository.name, 'public', true, this.#now])
  }

  link({ digest, bytes }: SeedBlob): void {
    if (this.#linked.has(digest)) return
    this.#linked.add(digest)
    const blobId = this.#blobs.add(digest, bytes.length, { bytes })
    this.#sink('repository_blobs', [this.#id, digest, blobId, this.#namespace, null])
  }

  /** @param id of the manifest, and of the change of its tag */
  addManifest(id: number, manifest: SeedManifest): void {
    const { digest, bytes, mediaType, artifactType, subject, annotations, blobs, tag } = manifest
    for (const blob of blobs) this.link(blob)
    const blobId = this.#blobs.add(digest, bytes.length, { bytes })
    this.#sink('manifests', [
      ...[id, this.#id, digest, blobId, bytes.length, mediaType, artifactType, subject],
      ...[JSON.stringify(annotations), principal, this.#now],
    ])
    for (const needed of new Set(blobs)) {
      this.#sink('manifest_refs', [id, needed.digest, this.#id, 'blob', true])
    }
    if (tag === null) return
    this.#sink('tags', [this.#id, tag, id, this.#now, principal])
    this.#sink('tag_history', [id, this.#id, tag, digest, principal, this.#now])
  }
}

/** Gives the rows that a registry of this size has in an empty database. */
export function seedRows(sizes: SeedSizes, sink: RowSink): void {
  const now = Date.now()
  const blobs = new BlobRows(sink, now)
  let repositories = 0
  let manifests = 0
  for (const { name, manifests: of } of seedRepositories(sizes)) {
    const repository = new RepositoryRows(sink, blobs, { id: seedId(repositories++), name, now })
    for (const manifest of of()) repository.addManifest(++manifests, manifest)
  }
}
