import { unixfsTree, type Cid } from '@openregistry/dag'
import { RegistryError, digestAlgorithm, formatDigest, type Digest } from '@openregistry/oci'
import type { Principal } from '../access/principal.ts'
import type { ContentHashes } from '../ports/content-hasher.ts'
import type { UploadSession } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { addReceived, isLostRace, receiveChunk, type Chunk } from './append-part.ts'
import { carryLeases } from './carry-leases.ts'
import { joinParts, rehashPart } from './join-parts.ts'
import { noticeDamage } from './notice-damage.ts'
import type { Stored } from './receive.ts'
import { requireOffset, requireSession, type SessionInput } from './session.ts'

/** What closes an upload. */
export interface FinishUploadInput extends SessionInput {
  /** What the client says the whole blob hashes to. */
  digest: Digest
  /** The last chunk, or the whole blob, or null when the request has no body. */
  chunk: Chunk | null
}

/** A blob that is durable and linked. */
export interface CommittedBlob {
  digest: Digest
  size: number
  cid: Cid
}

/** Content of an upload in one place, fully hashed. */
interface Whole {
  stored: Stored
  hashes: ContentHashes
  /** Where the session must stand at the commit. */
  offset: number
  /** Whether only this request knows the object; those of parts are the database's to give away. */
  ownObject: boolean
}

/**
 * Closes an upload: verifies the digest over all bytes, then one step writes blob, location, link and the end of the
 * session. A blob that came in one part is not copied, renamed or read again.
 *
 * A wrong digest ends the session: its bytes are not what the client meant, so nothing of them can be used.
 *
 * @throws RegistryError as `requireSession`, `UPLOAD_OFFSET_MISMATCH`, `DIGEST_INVALID`, `SIZE_INVALID`, storage faults;
 * `CONFLICT` when the repository may have nothing (any more) where the bytes lie, which ends the session.
 */
export async function finishUpload(
  ports: Ports,
  principal: Principal,
  input: FinishUploadInput,
): Promise<CommittedBlob> {
  const session = await requireSession(ports, principal, input)
  if (input.chunk !== null && input.chunk.start !== null) requireOffset(session, input.chunk.start)
  await carryLeases(ports, session)
  const whole = await gather(ports, session, input)
  const sha256 = formatDigest('sha256', whole.hashes.sha256)
  const sha512 = whole.hashes.sha512 === null ? null : formatDigest('sha512', whole.hashes.sha512)
  const actual = digestAlgorithm(input.digest) === 'sha512' ? sha512 : sha256
  if (actual !== input.digest) {
    // The object first: nothing but this request knows of it. The session has a time limit of its own.
    await discardWhole(ports, session, whole)
    await ports.metadata.cancelUpload(input.repository, session.id)
    throw new RegistryError('DIGEST_INVALID', 'The content does not have the digest that was given.', {
      detail: { given: input.digest, actual },
    })
  }
  const tree = unixfsTree(whole.hashes, (bytes) => ports.hasher.hashInline(bytes, { sha512: false }).sha256)
  const { size } = whole.hashes
  if (whole.stored.kind === 'object') await noticeDamage(ports, { backend: session.backend, sha256, size })
  await commit(ports, session, whole, {
    upload: session.id,
    offset: whole.offset,
    digest: input.digest,
    sha256,
    sha512,
    size: whole.hashes.size,
    cid: tree.cid,
    leaves: whole.hashes.leaves,
    nodes: tree.nodes,
    stored: whole.stored,
    lease: ports.settings.lease,
    rules: placementOf(ports),
  })
  return { digest: input.digest, size: whole.hashes.size, cid: tree.cid }
}

async function commit(
  ports: Ports,
  session: UploadSession,
  whole: Whole,
  input: Parameters<Ports['metadata']['commitBlob']>[0],
): Promise<void> {
  try {
    await ports.metadata.commitBlob(input)
  } catch (error) {
    if (isMisplaced(error)) await ports.metadata.cancelUpload(session.repository.name, session.id)
    if (isLostRace(error) || isMisplaced(error)) await discardWhole(ports, session, whole)
    throw error
  }
}

/** Whether the bytes lie where the repository may not have them: there is nothing to go on with. */
function isMisplaced(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'CONFLICT'
}

/** Brings everything that was uploaded into one place. */
async function gather(
  ports: Ports,
  session: UploadSession,
  { digest, chunk }: FinishUploadInput,
): Promise<Whole> {
  const sha512 = digestAlgorithm(digest) === 'sha512'
  let offset = session.offset
  if (chunk !== null) {
    const received = await receiveChunk(ports, session, chunk, sha512)
    if (chunk.interrupted?.() === true) {
      await addReceived(ports, session, received)
      throw new RegistryError(
        'BLOB_UPLOAD_INVALID',
        'The connection broke; ask where the upload stands and go on.',
      )
    }
    if (session.offset === 0 && received.hashes !== null) {
      // The whole blob in this request: its object needs no part row, the commit names it.
      return { stored: received.stored, hashes: received.hashes, offset: 0, ownObject: true }
    }
    if (received.size > 0) offset = await addReceived(ports, session, received)
  }
  const [first, second] = await ports.metadata.listParts(session.id, { limit: 2 })
  const only = second === undefined && first?.size === offset ? first : null
  if (only?.hashes != null && (!sha512 || only.hashes.sha512 !== null)) {
    return { stored: only.stored, hashes: only.hashes, offset, ownObject: false }
  }
  const joined =
    only === null
      ? await joinParts(ports, session, offset, sha512)
      : { ...(await rehashPart(ports, session, only, sha512)), ownObject: false }
  return { ...joined, offset }
}

async function discardWhole(ports: Ports, session: UploadSession, whole: Whole): Promise<void> {
  if (whole.ownObject && whole.stored.kind === 'object') {
    await backendNamed(ports, session.backend).delete(whole.stored.key)
  }
}
