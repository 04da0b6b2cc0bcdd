import { unixfsTree } from '@openregistry/dag'
import { RegistryError, formatDigest, type Digest, type RepositoryName } from '@openregistry/oci'
import type { ContentHashes } from '../ports/content-hasher.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { CheckedContent } from '../ports/placement.ts'
import { newStorageKey, newUploadId, type StorageKey, type UploadId } from '../ports/storage-key.ts'
import { isAway } from '../pull/is-away.ts'
import { pieces } from '../push/pieces.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { placementOf } from './rules.ts'

/**
 * How long the session of a copy outlives whoever makes it. It is renewed while bytes flow, and has to last while a backend
 * makes them durable. Until it ends, a repository with a copy on its way into a public backend stays public.
 */
const copyLifetime: Milliseconds = 3_600_000

/** What is to be copied, and where to. */
export interface CopyWish {
  content: CheckedContent
  /** On whose account it is done. */
  repository: { id: string; name: RepositoryName }
  to: string
  /** The link that is to rely on the copy; null for a second copy. */
  digest: Digest | null
}

/** What became of a copy. `unwanted`: what it was for has gone, or may have nothing there any more. */
export type CopyOutcome = 'copied' | 'unwanted' | 'unreadable'

/** How to go about it. */
export interface CopyOptions {
  /** Called with the size of every chunk that is read; whoever reads waits for it. */
  onBytes?: (bytes: number) => Promise<void>
  signal?: AbortSignal
}

/**
 * Copies a blob into another backend from wherever good bytes of it are. They are hashed on the way; then the copy is read
 * again and compared by digest and CID, before any row names it. Stopped anywhere, it leaves at most an object that its
 * session leads to.
 *
 * @returns `unreadable` when no place has the right bytes; those that have wrong ones are marked.
 * @throws SourceAway when places that may have it are away; RegistryError storage faults of the target; the reason of the
 * signal.
 */
export async function copyBlob(ports: Ports, wish: CopyWish, options: CopyOptions): Promise<CopyOutcome> {
  const { metadata } = ports
  let away: SourceAway | null = null
  for (const { backend, key } of await metadata.listObjects(wish.content.blobId)) {
    if (backend === wish.to) continue
    try {
      let outcome = await copyObject(ports, wish, { backend, key }, options)
      // A bit that flipped on the way here says nothing of the object.
      if (outcome === 'damaged') outcome = await copyObject(ports, wish, { backend, key }, options)
      if (outcome === 'copied' || outcome === 'unwanted') return outcome
      await metadata.recordDamage({ state: outcome, at: { kind: 'object', backend, key } })
    } catch (error) {
      if (!(error instanceof SourceAway)) throw error
      away ??= error
    }
  }
  if (away !== null) throw away
  return 'unreadable'
}

/** The place that is read is away, not the one that is written: other blobs may have more luck. */
export class SourceAway extends RegistryError {
  constructor(backend: string, cause: unknown) {
    super(
      'STORAGE_UNAVAILABLE',
      `The storage backend "${backend}" has the content, and does not answer or is not configured here.`,
      { cause },
    )
  }
}

async function copyObject(
  ports: Ports,
  wish: CopyWish,
  { backend, key }: { backend: string; key: StorageKey },
  options: CopyOptions,
): Promise<'copied' | 'unwanted' | 'damaged' | 'missing'> {
  await using reader = await orAway(backend, () => backendNamed(ports, backend).open(key))
  if (reader === null) return 'missing'
  return await copyFrom(ports, wish, fromSource(backend, reader.chunks), options)
}

async function orAway<T>(backend: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw isAway(error) ? new SourceAway(backend, error) : error
  }
}

async function* fromSource(
  backend: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await orAway(backend, () => iterator.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/**
 * The same from any source, which need not be trusted.
 * @returns `damaged` when the source has other bytes.
 * @throws as {@link copyBlob}, and what the source throws.
 */
export async function copyFrom(
  ports: Ports,
  wish: CopyWish,
  source: AsyncIterable<Uint8Array>,
  options: CopyOptions,
): Promise<'copied' | 'unwanted' | 'damaged'> {
  const { metadata } = ports
  const { repository, to, content, digest } = wish
  const id = newUploadId()
  const rules = placementOf(ports)
  const opening = { id, repositoryId: repository.id, backend: to, lifetime: copyLifetime, rules }
  if (!(await metadata.openCopy(opening))) return 'unwanted'
  let ended = false
  try {
    const key = await writeVerified(ports, wish, id, source, options)
    if (key === null) return 'damaged'
    ended = true
    return (await metadata.commitCopy({ upload: id, blobId: content.blobId, key, digest, rules }))
      ? 'copied'
      : 'unwanted'
  } finally {
    if (!ended) await metadata.cancelUpload(repository.name, id)
  }
}

/** Writes a new object, and reads it again. Null when the source has other bytes; nothing is left then. */
async function writeVerified(
  ports: Ports,
  { content, to }: CopyWish,
  id: UploadId,
  source: AsyncIterable<Uint8Array>,
  { onBytes, signal }: CopyOptions,
): Promise<StorageKey | null> {
  const store = backendNamed(ports, to)
  const key = newStorageKey(id)
  using run = ports.hasher.begin({ sha512: false })
  const alive = keptAlive(ports, id, counted(source, onBytes))
  const cut = pieces(alive, { hasher: ports.hasher, run, limit: 0 })
  await store.write(key, cut, signal === undefined ? {} : { signal })
  const same = isSame(ports, await run.finish(), content)
  if (same && (await isStored(ports, { content, to }, id, key, signal))) return key
  await store.delete(key)
  if (!same) return null
  const message = `The storage backend "${to}" gives back other bytes than it was given.`
  throw new RegistryError('STORAGE_UNAVAILABLE', message, { cause: `${key} for ${content.sha256}` })
}

async function isStored(
  ports: Ports,
  { content, to }: Pick<CopyWish, 'content' | 'to'>,
  id: UploadId,
  key: StorageKey,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await using reader = await backendNamed(ports, to).open(key)
  if (reader === null) return false
  using run = ports.hasher.begin({ sha512: false })
  const alive = keptAlive(ports, id, reader.chunks)
  const cut = pieces(alive, { hasher: ports.hasher, run, limit: 0 })
  // Each piece is hashed before the next one is asked for; nothing else is done with it.
  while ((await cut.next()).done !== true) signal?.throwIfAborted()
  return isSame(ports, await run.finish(), content)
}

/** Whether bytes with these hashes are the content, by digest and CID. */
function isSame({ hasher }: Ports, hashes: ContentHashes, content: CheckedContent): boolean {
  if (hashes.size !== content.size || formatDigest('sha256', hashes.sha256) !== content.sha256) return false
  const { cid } = unixfsTree(hashes, (bytes) => hasher.hashInline(bytes, { sha512: false }).sha256)
  return cid === content.cid
}

/** A stream that keeps the session of its copy alive. */
async function* keptAlive(
  { metadata }: Ports,
  id: UploadId,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let renewedAt = performance.now()
  for await (const chunk of source) {
    if (performance.now() - renewedAt > copyLifetime / 4) {
      renewedAt = performance.now()
      // When it was ended by somebody, the commit will be refused.
      await metadata.renewUpload(id, copyLifetime)
    }
    yield chunk
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: CopyOptions['onBytes'],
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    await onBytes?.(chunk.length)
    yield chunk
  }
}
