import { RegistryError } from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import type { UploadSession } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { carryLeases } from './carry-leases.ts'
import { tooLarge } from './pieces.ts'
import { receive, type Received } from './receive.ts'
import { renewing } from './renewing.ts'
import { requireOffset, requireSession, type SessionInput } from './session.ts'

/** A body with what the client said about it. */
export interface Chunk {
  body: AsyncIterable<Uint8Array>
  /** First byte by `Content-Range`, or null for "where the upload stands". */
  start: number | null
  /** Bytes that were announced, or null when the client did not say. */
  length: number | null
  /**
   * Whether the body ended because the connection broke. What arrived is kept then, so that the client can go on from
   * there; asked once the body has ended.
   */
  interrupted?: () => boolean
  signal?: AbortSignal
}

/** A chunk for a session. */
export interface AppendPartInput extends SessionInput {
  chunk: Chunk
}

/**
 * Adds a chunk to an upload: streamed to a new object, durable, then one step moves the offset by compare-and-set. A
 * writer that lost that race deletes its own object and nothing else.
 *
 * @returns where the upload stands now.
 * @throws RegistryError as {@link requireSession}, `UPLOAD_OFFSET_MISMATCH`, `SIZE_INVALID`, storage faults.
 */
export async function appendPart(
  ports: Ports,
  principal: Principal,
  input: AppendPartInput,
): Promise<{ session: UploadSession; offset: number }> {
  const session = await requireSession(ports, principal, input)
  if (input.chunk.start !== null) requireOffset(session, input.chunk.start)
  await carryLeases(ports, session)
  const received = await receiveChunk(ports, session, input.chunk, session.algorithm === 'sha512')
  return { session, offset: await addReceived(ports, session, received) }
}

/**
 * Receives a chunk. Only the first part's hashes are kept: later parts are hashed when they are joined, and no hash
 * state is ever stored.
 * @throws RegistryError `SIZE_INVALID` when the body has another length than was announced, `BLOB_TOO_LARGE`; nothing is
 * left then.
 */
export async function receiveChunk(
  ports: Ports,
  session: UploadSession,
  chunk: Chunk,
  sha512: boolean,
): Promise<Received> {
  const store = backendNamed(ports, session.backend)
  const limit = ports.settings.limits.blob
  if (limit > 0 && session.offset + (chunk.length ?? 0) > limit) throw tooLarge()
  const received = await receive(renewing(ports, session, chunk.body), {
    store,
    hasher: ports.hasher,
    upload: session.id,
    hash: session.offset > 0 ? 'none' : sha512 ? 'sha512' : 'sha256',
    // A limit of 0 is none, so what is full already is judged below.
    limit: limit === 0 ? 0 : Math.max(1, limit - session.offset),
    offset: session.offset,
    ...(chunk.signal ? { signal: chunk.signal } : {}),
  })
  if (limit > 0 && session.offset + received.size > limit) {
    await discard(ports, session, received)
    throw tooLarge()
  }
  if (chunk.length !== null && received.size !== chunk.length && chunk.interrupted?.() !== true) {
    await discard(ports, session, received)
    throw new RegistryError(
      'SIZE_INVALID',
      `The chunk was announced with ${chunk.length} bytes and has ${received.size}.`,
    )
  }
  return received
}

/** Makes a received chunk the next part of the session; an empty one changes nothing. Returns where the upload stands. */
export async function addReceived(ports: Ports, session: UploadSession, received: Received): Promise<number> {
  const { size, stored, hashes } = received
  if (size === 0) return session.offset
  try {
    return await ports.metadata.addPart({
      upload: session.id,
      part: { offset: session.offset, size, stored, hashes },
      lifetime: ports.settings.uploadLifetime,
    })
  } catch (error) {
    if (isLostRace(error)) await discard(ports, session, received)
    throw error
  }
}

/** Deletes the object of a chunk that no row names. Its key was never given to anyone, so this cannot hurt others. */
export async function discard(ports: Ports, session: UploadSession, received: Received): Promise<void> {
  if (received.stored.kind === 'object')
    await backendNamed(ports, session.backend).delete(received.stored.key)
}

/** Whether the step certainly did not happen; after any other fault the row may exist, and the sweep decides. */
export function isLostRace(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    (error.code === 'UPLOAD_OFFSET_MISMATCH' || error.code === 'BLOB_UPLOAD_UNKNOWN')
  )
}
