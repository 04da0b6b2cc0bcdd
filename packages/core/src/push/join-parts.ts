import { RegistryError } from '@openregistry/oci'
import type { ContentHashes } from '../ports/content-hasher.ts'
import type { UploadPart, UploadSession } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { pieces } from './pieces.ts'
import { receive, type Stored } from './receive.ts'
import { renewing } from './renewing.ts'

/** Parts that are looked up at once: a client may have sent very many. */
const pageSize = 200

/**
 * One place for an upload of several parts: they are streamed into one new object and hashed in that pass.
 * @param end where the upload stands; the parts reach just there.
 * @throws RegistryError as {@link readParts}; storage faults.
 */
export async function joinParts(
  ports: Ports,
  session: UploadSession,
  end: number,
  sha512: boolean,
): Promise<{ stored: Stored; hashes: ContentHashes; ownObject: boolean }> {
  const parts = listAllParts(ports, session, end)
  const { stored, hashes } = await receive(renewing(ports, session, readParts(ports, session, parts)), {
    store: backendNamed(ports, session.backend),
    hasher: ports.hasher,
    upload: session.id,
    hash: sha512 ? 'sha512' : 'sha256',
    limit: 0,
    offset: 0,
  })
  if (hashes === null) throw new RegistryError('INTERNAL', 'Joined parts were not hashed.')
  return { stored, hashes, ownObject: true }
}

/**
 * One part whose sha512 is needed but was not announced: its bytes stay where they are, and are read again.
 * @throws RegistryError as {@link joinParts}.
 */
export async function rehashPart(
  ports: Ports,
  session: UploadSession,
  part: UploadPart,
  sha512: boolean,
): Promise<{ stored: Stored; hashes: ContentHashes }> {
  const { stored } = part
  if (stored.kind === 'inline') return { stored, hashes: ports.hasher.hashInline(stored.bytes, { sha512 }) }
  using run = ports.hasher.begin({ sha512 })
  const content = readParts(ports, session, [part])
  const cut = pieces(renewing(ports, session, content), { hasher: ports.hasher, run, limit: 0 })
  // Each piece is hashed before the next one is asked for; nothing else is done with it.
  while ((await cut.next()).done !== true);
  return { stored, hashes: await run.finish() }
}

/**
 * All parts up to `end`, a page at a time.
 * @throws RegistryError `BLOB_UPLOAD_UNKNOWN` when the session was ended meanwhile, which takes its parts with it.
 */
async function* listAllParts(
  { metadata }: Ports,
  session: UploadSession,
  end: number,
): AsyncGenerator<UploadPart, void, undefined> {
  for (let at = 0; at < end;) {
    const page = await metadata.listParts(session.id, { from: at, limit: pageSize })
    for (const part of page) {
      if (part.offset >= end) break
      yield part
      at = part.offset + part.size
    }
    if (page.length === 0)
      throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload has ended meanwhile; begin it again.')
  }
}

/**
 * The bytes of the parts, in order.
 * @throws RegistryError `BLOB_UPLOAD_UNKNOWN` when the session was ended meanwhile, which takes its parts with it;
 * `STORAGE_UNAVAILABLE` when an object is gone or has another size than its row says.
 */
async function* readParts(
  ports: Ports,
  session: UploadSession,
  parts: AsyncIterable<UploadPart> | Iterable<UploadPart>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const store = backendNamed(ports, session.backend)
  for await (const part of parts) {
    if (part.stored.kind === 'inline') {
      yield part.stored.bytes
      continue
    }
    await using reader = await store.open(part.stored.key)
    if (reader === null || reader.size !== part.size) {
      if ((await ports.metadata.findUpload(session.repository.name, session.id)) === null)
        throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'The upload was ended; begin it again.')
      throw damagedPart(
        `${part.stored.key}: ${reader === null ? 'missing' : `${reader.size} bytes instead of ${part.size}`}`,
      )
    }
    let read = 0
    for await (const chunk of reader.chunks) {
      read += chunk.length
      yield chunk
    }
    // The backend's fault, not the client's: a digest over too few bytes would say that the client sent others.
    if (read !== part.size)
      throw damagedPart(`${part.stored.key}: ${read} bytes came instead of ${part.size}`)
  }
}

function damagedPart(cause: string): RegistryError {
  return new RegistryError(
    'STORAGE_UNAVAILABLE',
    'A part of the upload is damaged; begin the upload again.',
    { cause },
  )
}
