import { RegistryError, formatDigest, type Digest, type RepositoryName } from '@openregistry/oci'
import { copyBlob, copyFrom, SourceAway } from '../../placement/copy-blob.ts'
import type { BlockSource } from '../../ports/block-source.ts'
import { isAway } from '../../pull/is-away.ts'
import type { DamagedLocation } from '../../ports/scrub.ts'
import { backendNamed, type Ports } from '../../settings.ts'
import { contentFromBlocks, type BlockOptions } from './content-from-blocks.ts'

/** Damaged places that are looked at together. */
const batchSize = 100

/** Bytes of a row at most: nothing that lies in the database is larger. */
const inlineAtMost = 64 * 1024 * 1024

/** A place with its content. */
interface Place {
  digest: Digest
  size: number
  /** `inline`: in the database. */
  backend: string
}

/** A place whose bytes are good again. */
export interface RepairedPlace extends Place {
  /** Where they came from: other places of ours, or somebody who was asked. */
  from: string
}

/** A place whose bytes are not. */
export interface UnrepairedPlace extends Place {
  cause: string
}

/** What a repair has come to. */
export interface Repaired {
  repaired: RepairedPlace[]
  remaining: UnrepairedPlace[]
}

/** How to repair. */
export interface RepairOptions {
  /** Who may have blocks of it, besides our own places; asked in this order. */
  sources?: readonly BlockSource[]
  /** Only what this repository has; null: everything. */
  repository?: RepositoryName | null
  /** Bytes were copied. */
  onBytes?: (bytes: number) => void
  signal?: AbortSignal
}

/**
 * Mends what is known to be damaged or missing: from other places of ours that have the same content, else from blocks that
 * somebody else has. Nothing is believed: content is compared by digest and CID before it is used, and the place is good
 * only once it was read again. What nobody needs is left alone.
 * @throws RegistryError `METADATA_UNAVAILABLE`; the reason of the signal.
 */
export async function repair(ports: Ports, options: RepairOptions = {}): Promise<Repaired> {
  const { metadata } = ports
  const done: Repaired = { repaired: [], remaining: [] }
  for (let after: number | null = null, more = true; more;) {
    const page = await metadata.listDamage({ after, limit: batchSize })
    for (const damage of page.items) {
      options.signal?.throwIfAborted()
      if (await concerns(ports, damage, options.repository ?? null))
        await repairPlace(ports, damage, options, done)
    }
    after = page.items.at(-1)?.id ?? after
    more = page.more
  }
  return done
}

/** Repositories that are looked at to find out whether one has a blob. */
const usesAtMost = 1000

async function concerns(
  { metadata }: Ports,
  { blobId }: DamagedLocation,
  repository: RepositoryName | null,
): Promise<boolean> {
  if (repository === null) return true
  const uses = await metadata.listBlobUses(blobId, usesAtMost)
  return uses.some((use) => use.repository === repository)
}

async function repairPlace(
  ports: Ports,
  damage: DamagedLocation,
  options: RepairOptions,
  done: Repaired,
): Promise<void> {
  const backend = damage.place.kind === 'inline' ? 'inline' : damage.place.backend
  const place: Place = { digest: damage.sha256, size: damage.size, backend }
  try {
    const from =
      damage.place.kind === 'inline'
        ? await repairInline(ports, damage, options)
        : await repairObject(ports, damage, backend, options)
    if (from !== null) done.repaired.push({ ...place, from })
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!(error instanceof RegistryError) || error.code === 'METADATA_UNAVAILABLE') throw error
    done.remaining.push({ ...place, cause: error.message })
  }
}

/** @returns where the bytes came from; null when nobody needs them there any more. */
async function repairObject(
  ports: Ports,
  damage: DamagedLocation,
  to: string,
  { sources = [], onBytes, signal }: RepairOptions,
): Promise<string | null> {
  const { metadata, hasher } = ports
  const { blobId, sha256, size, cid } = damage
  const repository = await metadata.findOwner(blobId, { open: backendNamed(ports, to).public })
  if (repository === null) return null
  const wish = { content: { blobId, sha256, size, cid }, repository, to, digest: null }
  const copying = {
    onBytes: async (bytes: number) => onBytes?.(bytes),
    ...(signal === undefined ? {} : { signal }),
  }
  try {
    const outcome = await copyBlob(ports, wish, copying)
    if (outcome === 'copied') return 'another place here'
    if (outcome === 'unwanted') return null
  } catch (error) {
    if (!(error instanceof SourceAway) || sources.length === 0) throw error
  }
  const content = await blocksOf(ports, damage, sources)
  if (content === null) return null
  const given = new Set<string>()
  const gave = (source: BlockSource): void => void given.add(source.name)
  const bytes = contentFromBlocks(content, { sources, hasher, signal, gave })
  const copied = await copyFrom(ports, wish, bytes, copying)
  if (copied === 'damaged') throw wrongRow()
  return copied === 'copied' ? [...given].join(', ') : null
}

/** The leaves of damaged content. @throws RegistryError when there is nobody to ask. */
async function blocksOf(
  { metadata }: Ports,
  { id, size, served }: DamagedLocation,
  sources: readonly BlockSource[],
): Promise<{ size: number; leaves: Uint8Array } | null> {
  if (sources.length === 0) {
    const message = served
      ? 'It is served from the database; the next push of it mends this place.'
      : 'No other place here has good bytes of it.'
    throw new RegistryError('STORAGE_UNAVAILABLE', message)
  }
  const row = await metadata.readLocation(id)
  return row && { size, leaves: row.leaves }
}

async function repairInline(
  ports: Ports,
  damage: DamagedLocation,
  options: RepairOptions,
): Promise<string | null> {
  const { metadata } = ports
  if (damage.size > inlineAtMost)
    throw new RegistryError('STORAGE_UNAVAILABLE', 'It is too large for the database.')
  const found = (await fromObjects(ports, damage)) ?? (await fromSources(ports, damage, options))
  if (found === null) return null
  return (await metadata.mendInline({ location: damage.id, bytes: found.bytes })) ? found.from : null
}

interface Found {
  bytes: Uint8Array
  from: string
}

async function fromObjects(ports: Ports, damage: DamagedLocation): Promise<Found | null> {
  for (const { backend, key } of await ports.metadata.listObjects(damage.blobId)) {
    try {
      await using reader = await backendNamed(ports, backend).open(key)
      if (reader === null || reader.size !== damage.size) continue
      const bytes = await whole(reader.chunks, damage.size)
      if (isContent(ports, bytes, damage)) return { bytes, from: 'another place here' }
    } catch (error) {
      if (!isAway(error)) throw error
    }
  }
  return null
}

async function fromSources(
  ports: Ports,
  damage: DamagedLocation,
  { sources = [], signal, onBytes }: RepairOptions,
): Promise<Found | null> {
  const content = await blocksOf(ports, damage, sources)
  if (content === null) return null
  const given = new Set<string>()
  const options: BlockOptions = {
    sources,
    hasher: ports.hasher,
    signal,
    gave: ({ name }) => void given.add(name),
  }
  const bytes = await whole(contentFromBlocks(content, options), damage.size)
  onBytes?.(bytes.length)
  if (!isContent(ports, bytes, damage)) throw wrongRow()
  return { bytes, from: [...given].join(', ') }
}

/** All leaves were right, and yet: the hashes of the leaves are not those of the content. */
function wrongRow(): RegistryError {
  return new RegistryError(
    'STORAGE_UNAVAILABLE',
    'What the database knows of its blocks is wrong, too; push it again.',
  )
}

function isContent({ hasher }: Ports, bytes: Uint8Array, { sha256, size }: DamagedLocation): boolean {
  if (bytes.length !== size) return false
  return formatDigest('sha256', hasher.hashInline(bytes, { sha512: false }).sha256) === sha256
}

async function whole(chunks: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let at = 0
  for await (const chunk of chunks) {
    if (at + chunk.length > size) return bytes.subarray(0, 0)
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes.subarray(0, at)
}
