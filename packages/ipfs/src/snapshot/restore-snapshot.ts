import { finishUpload, mountBlob, openUpload, operator, putManifest, type Ports } from '@openregistry/core'
import { RegistryError, digestAlgorithm, type Digest, type RepositoryName, type Tag } from '@openregistry/oci'
import { BlockMissing } from './find-block.ts'
import type { Snapshot } from './read-snapshot.ts'
import { RestoreTally, type RestoreReport } from './restore-report.ts'
import { SnapshotError } from './snapshot-error.ts'
import type { SnapshotContent, SnapshotRepository, SnapshotRow } from './snapshot-rows.ts'

/** Blobs of a repository that are fetched at once. */
const atOnce = 4

/** How a registry is rebuilt. */
export interface RestoreOptions {
  signal: AbortSignal
  /** Told after each repository. */
  onRepository?: (name: RepositoryName, report: RestoreReport) => void
}

type Row<K extends SnapshotRow['kind']> = Extract<SnapshotRow, { kind: K }>

/** Faults after which the next thing may go well: nobody has it, or it is not what its name says. */
const ofThisOne: ReadonlySet<string> = new Set([
  ...['DIGEST_INVALID', 'SIZE_INVALID', 'MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_TOO_LARGE'],
  ...['BLOB_TOO_LARGE', 'DENIED'],
])

/**
 * Brings everything of a snapshot into the registry as pushes do: every digest is compared, and what is there already is
 * left alone, so whoever was interrupted begins anew and soon is where he was.
 * @returns what was done; `missing` says how much nobody gave.
 * @throws SnapshotError, RegistryError faults of database and backend; the reason of the signal.
 */
export async function restoreSnapshot(
  ports: Ports,
  snapshot: Snapshot,
  { signal, onRepository }: RestoreOptions,
): Promise<RestoreReport> {
  const tally = new RestoreTally()
  for await (const repository of snapshot.repositories(signal)) {
    signal.throwIfAborted()
    const { id, name, visibility } = repository
    if (!(await ports.metadata.createRepository({ id, name, visibility }))) {
      throw new RegistryError('CONFLICT', `The repository ${name} is there already, and is another one.`)
    }
    await new RepositoryRestore(ports, snapshot, repository, tally, signal).run()
    tally.repositories++
    onRepository?.(name, tally)
  }
  return tally
}

class RepositoryRestore {
  readonly #ports: Ports
  readonly #snapshot: Snapshot
  readonly #repository: SnapshotRepository
  readonly #tally: RestoreTally
  readonly #signal: AbortSignal

  constructor(
    ports: Ports,
    snapshot: Snapshot,
    repository: SnapshotRepository,
    tally: RestoreTally,
    signal: AbortSignal,
  ) {
    this.#ports = ports
    this.#snapshot = snapshot
    this.#repository = repository
    this.#tally = tally
    this.#signal = signal
  }

  /** Blobs first, since manifests need them, then manifests, since tags need those. */
  async run(): Promise<void> {
    await this.#several(this.#rows('blob'), (row) => this.#attempt(row.digest, null, () => this.#blob(row)))
    for await (const row of this.#rows('manifest')) {
      await this.#attempt(row.digest, null, () => this.#manifest(row))
    }
    for await (const { tag, digest } of this.#rows('tag')) {
      await this.#attempt(digest, tag, () => this.#tag(tag, digest))
    }
  }

  #rows<K extends SnapshotRow['kind']>(kind: K): AsyncIterable<Row<K>> {
    return this.#snapshot.rows(this.#repository, kind, this.#signal)
  }

  /** Does one thing; what is wrong with it alone goes into the report. */
  async #attempt(digest: Digest, tag: Tag | null, restore: () => Promise<void>): Promise<void> {
    this.#signal.throwIfAborted()
    try {
      await restore()
    } catch (error) {
      this.#signal.throwIfAborted()
      const own =
        error instanceof BlockMissing || (error instanceof RegistryError && ofThisOne.has(error.code))
      if (!own) throw error
      this.#tally.miss({ repository: this.#repository.name, digest, tag, why: error.message })
    }
  }

  async #blob(row: Row<'blob'>): Promise<void> {
    const { metadata } = this.#ports
    const { name: repository } = this.#repository
    const { digest, size } = row
    const found = await metadata.findBlob(repository, digest, { bytes: false })
    const isHere =
      found?.blob?.location != null ||
      (await mountBlob(this.#ports, operator, { repository, digest, from: null })) !== null
    if (isHere) this.#tally.there++
    else {
      const algorithm = digestAlgorithm(digest)
      const { id } = await openUpload(this.#ports, operator, { repository, algorithm })
      const { body, fault } = watch(this.#content(row))
      const chunk = { body, start: null, length: size, signal: this.#signal }
      try {
        await finishUpload(this.#ports, operator, { repository, id, digest, chunk })
      } catch (error) {
        throw fault() ?? error
      }
      this.#tally.fetched += size
    }
    this.#tally.blobs++
  }

  /** No more than was announced is taken from anybody. */
  async *#content(content: SnapshotContent): AsyncGenerator<Uint8Array, void, undefined> {
    let size = 0
    for await (const chunk of this.#snapshot.content(content, this.#signal)) {
      size += chunk.length
      if (size > content.size) throw new SnapshotError('Content is larger than its row in the snapshot says.')
      yield chunk
    }
  }

  async #manifest(row: Row<'manifest'>): Promise<void> {
    const { name: repository } = this.#repository
    const { digest, mediaType, size } = row
    const reference = { kind: 'digest', digest } as const
    const found = await this.#ports.metadata.findManifest(repository, reference, { bytes: false })
    if (found?.manifest == null) {
      const { manifest: limit } = this.#ports.settings.limits
      if (size > limit) {
        throw new RegistryError(
          'MANIFEST_TOO_LARGE',
          `The manifest has ${size} bytes, limits.manifest is ${limit}.`,
        )
      }
      const bytes = await gather(this.#content(row))
      await putManifest(this.#ports, operator, {
        ...{ repository, reference, tags: [], contentType: mediaType, bytes },
      })
    }
    this.#tally.manifests++
  }

  async #tag(tag: Tag, digest: Digest): Promise<void> {
    const { metadata } = this.#ports
    const { name: repository } = this.#repository
    const there = await metadata.findManifest(repository, { kind: 'tag', tag }, { bytes: false })
    if (there?.manifest == null) {
      const reference = { kind: 'digest', digest } as const
      const found = await metadata.findManifest(repository, reference, { bytes: true })
      const manifest = found?.manifest ?? null
      if (manifest?.bytes == null) {
        throw new RegistryError('MANIFEST_INVALID', 'Its manifest was not brought back.')
      }
      const { mediaType, bytes } = manifest
      await putManifest(this.#ports, operator, {
        ...{ repository, reference, tags: [tag], contentType: mediaType, bytes },
      })
    }
    this.#tally.tags++
  }

  /** Some at once. The first fault that is not of one thing alone ends it, after those under way. */
  async #several<T>(rows: AsyncIterable<T>, restore: (row: T) => Promise<void>): Promise<void> {
    const running = new Set<Promise<void>>()
    const faults: unknown[] = []
    for await (const row of rows) {
      const one = restore(row).catch((error: unknown) => void faults.push(error))
      const tracked: Promise<void> = one.then(() => void running.delete(tracked))
      running.add(tracked)
      if (running.size >= atOnce) await Promise.race(running)
      if (faults.length > 0) break
    }
    await Promise.all(running)
    if (faults.length > 0) throw faults[0]
  }
}

/** A body that remembers what ended it: a backend may say in its own words that nothing more came. */
function watch(source: AsyncIterable<Uint8Array>): { body: AsyncIterable<Uint8Array>; fault(): unknown } {
  let fault: unknown = null
  const body = (async function* () {
    try {
      yield* source
    } catch (error) {
      fault = error
      throw error
    }
  })()
  return { body, fault: () => fault }
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
  return new Uint8Array(Buffer.concat(parts))
}
