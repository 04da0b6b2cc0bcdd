import type { BlobStore } from '../ports/blob-store.ts'
import type { ContentHasher, ContentHashes } from '../ports/content-hasher.ts'
import { newStorageKey, type StorageKey, type UploadId } from '../ports/storage-key.ts'
import { pieces, tooLarge } from './pieces.ts'

/** A body that ends within this many bytes becomes bytes of a row, not an object of a backend. */
export const inlineLimit = 16 * 1024

/**
 * Where an upload may stand for its next part to be inline. All parts are read at once when they are joined, so what is
 * in rows is bounded, however small the chunks of a client are.
 */
const inlineUpTo = 1024 * 1024

/** Durable bytes: in memory until a row takes them, or an object of a backend. */
export type Stored = { kind: 'inline'; bytes: Uint8Array } | { kind: 'object'; key: StorageKey }

/** What arrived. `hashes` is null when nobody asked for them. */
export interface Received {
  size: number
  stored: Stored
  hashes: ContentHashes | null
}

/** How to receive a body. */
export interface ReceiveOptions {
  store: BlobStore
  hasher: ContentHasher
  upload: UploadId
  /** Which hashes to compute in the same pass; `none` for parts that are hashed when they are joined. */
  hash: 'none' | 'sha256' | 'sha512'
  /** Bytes after which the body is refused; 0: none. */
  limit: number
  /** Where the upload stands. */
  offset: number
  signal?: AbortSignal
}

/**
 * Streams a body into one new object of the backend, hashing it on the way. When this resolves with an object, the
 * object is durable; when it rejects, nothing is left of it.
 *
 * @throws RegistryError `BLOB_TOO_LARGE` past the limit, `STORAGE_FULL`, `STORAGE_UNAVAILABLE`; whatever `source` throws.
 */
export async function receive(source: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<Received> {
  const iterator = source[Symbol.asyncIterator]()
  const head = await readHead(iterator, options.offset < inlineUpTo ? inlineLimit : 0)
  if (head.ended) return receiveInline(head.chunks, head.size, options)
  try {
    return await receiveObject(resume(head.chunks, iterator), options)
  } catch (error) {
    // A store may refuse before it asks for a byte, and then nobody else lets go of the source. Not waited for: it may be
    // waiting for its sender.
    iterator.return?.()?.catch(() => undefined)
    throw error
  }
}

function receiveInline(
  chunks: Uint8Array[],
  size: number,
  { hasher, hash, limit }: ReceiveOptions,
): Received {
  if (limit > 0 && size > limit) throw tooLarge()
  const bytes = concat(chunks, size)
  const hashes = hash === 'none' ? null : hasher.hashInline(bytes, { sha512: hash === 'sha512' })
  return { size, stored: { kind: 'inline', bytes }, hashes }
}

async function receiveObject(source: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<Received> {
  const { store, hasher, upload, hash, limit, signal } = options
  const key = newStorageKey(upload)
  using run = hash === 'none' ? null : hasher.begin({ sha512: hash === 'sha512' })
  const { size } = await store.write(key, pieces(source, { hasher, run, limit }), signal ? { signal } : {})
  const hashes = run === null ? null : await run.finish()
  return { size, stored: { kind: 'object', key }, hashes }
}

/** Reads until the stream ends or is longer than `limit`. */
async function readHead(
  iterator: AsyncIterator<Uint8Array>,
  limit: number,
): Promise<{ chunks: Uint8Array[]; size: number; ended: boolean }> {
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= limit) {
    const next = await iterator.next()
    if (next.done === true) return { chunks, size, ended: true }
    // Copied (the slice of a Buffer would be a view): a chunk is the sender's until the next one is asked for.
    chunks.push(next.value.length > limit ? next.value : new Uint8Array(next.value))
    size += next.value.length
  }
  return { chunks, size, ended: false }
}

/** The stream as it was before {@link readHead} took its beginning. */
async function* resume(
  head: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ended = false
  try {
    yield* head
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    ended = true
  } finally {
    if (!ended) await iterator.return?.()
  }
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
