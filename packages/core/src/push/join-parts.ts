import { RegistryError } from '@openregistry/oci'
import type { BlobStore } from '../ports/blob-store.ts'
import type { ContentHashes } from '../ports/content-hasher.ts'
import type { UploadPart, UploadSession } from '../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../settings.ts'
import { pieces } from './pieces.ts'
import { receive, type Stored } from './receive.ts'
import { renewing } from './renewing.ts'

/**
 * One place for an upload of several parts, or of one part whose sha512 is needed but was not announced. Several parts
 * are streamed into one new object and hashed in that pass; a single object is only read again.
 */
export async function joinParts(
  ports: Ports,
  session: UploadSession,
  parts: readonly UploadPart[],
  sha512: boolean,
): Promise<{ stored: Stored; hashes: ContentHashes; ownObject: boolean }> {
  const store = backendNamed(ports, session.backend)
  const only = parts.length === 1 ? parts[0] : undefined
  if (only !== undefined) {
    return { stored: only.stored, hashes: await rehash(ports, session, only, sha512), ownObject: false }
  }
  const { stored, hashes } = await receive(renewing(ports, session, readParts(store, parts)), {
    store,
    hasher: ports.hasher,
    upload: session.id,
    hash: sha512 ? 'sha512' : 'sha256',
    limit: 0,
    offset: 0,
  })
  if (hashes === null) throw new RegistryError('INTERNAL', 'Joined parts were not hashed.')
  return { stored, hashes, ownObject: true }
}

async function rehash(
  ports: Ports,
  session: UploadSession,
  part: UploadPart,
  sha512: boolean,
): Promise<ContentHashes> {
  if (part.stored.kind === 'inline') return ports.hasher.hashInline(part.stored.bytes, { sha512 })
  using run = ports.hasher.begin({ sha512 })
  const content = readParts(backendNamed(ports, session.backend), [part])
  const cut = pieces(renewing(ports, session, content), { hasher: ports.hasher, run, limit: 0 })
  // Each piece is hashed before the next one is asked for; nothing else is done with it.
  while ((await cut.next()).done !== true);
  return run.finish()
}

/**
 * The bytes of the parts, in order.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when an object is gone or has another size than its row says.
 */
async function* readParts(
  store: BlobStore,
  parts: readonly UploadPart[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) {
    if (part.stored.kind === 'inline') {
      yield part.stored.bytes
      continue
    }
    await using reader = await store.open(part.stored.key)
    if (reader === null || reader.size !== part.size) {
      throw new RegistryError(
        'STORAGE_UNAVAILABLE',
        'A part of the upload is damaged; begin the upload again.',
        {
          cause: `${part.stored.key}: ${reader === null ? 'missing' : `${reader.size} bytes instead of ${part.size}`}`,
        },
      )
    }
    yield* reader.chunks
  }
}
