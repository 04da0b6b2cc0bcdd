import { cidParts, dagCborCodec, NodeError, readSortedTree, type Cid } from '@openregistry/dag'
import type { FetchBlock } from './fetch-file.ts'
import { fetchFile } from './fetch-file.ts'
import { decodeEnvelope, type Envelope, type Trust } from './envelope.ts'
import type { Seal } from './seal.ts'
import { SnapshotError } from './snapshot-error.ts'
import {
  decodeRepository,
  decodeRow,
  firstKey,
  type SnapshotContent,
  type SnapshotRepository,
  type SnapshotRow,
} from './snapshot-rows.ts'

/** What is needed to read a snapshot. */
export interface SnapshotReading {
  /** The CID that it begins with. */
  root: Cid
  fetchBlock: FetchBlock
  trust: Trust
  /** For sealed ones; null: there is no key. */
  seal: Seal | null
}

/** A snapshot that is believed. Rows are checked when they are read. */
export interface Snapshot extends Pick<Envelope, 'createdAt' | 'scope' | 'sealed' | 'repositoryCount'> {
  readonly root: Cid
  repositories(signal: AbortSignal): AsyncIterable<SnapshotRepository>
  rows<K extends SnapshotRow['kind']>(
    repository: SnapshotRepository,
    kind: K,
    signal: AbortSignal,
  ): AsyncIterable<Extract<SnapshotRow, { kind: K }>>
  /** The bytes of content, whoever has them. Who asks compares their digest. */
  content(content: SnapshotContent, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/**
 * Reads the beginning of a snapshot.
 * @throws SnapshotError when it is none, not to be believed, or sealed and there is no key; what fetching throws.
 */
export async function openSnapshot(reading: SnapshotReading, signal: AbortSignal): Promise<Snapshot> {
  const { root, fetchBlock, trust, seal } = reading
  if (cidParts(root).codec !== dagCborCodec) throw new SnapshotError(`${root} is not the CID of a snapshot.`)
  const envelope = decodeEnvelope(await fetchBlock(root, signal), trust)
  if (envelope.sealed && seal === null) {
    throw new SnapshotError('The snapshot is sealed: it takes the keys file of the registry that made it.')
  }
  const opened = envelope.sealed ? seal : null
  const get = async (cid: Cid, stop: AbortSignal): Promise<Uint8Array> => {
    const bytes = await fetchBlock(cid, stop)
    return opened === null ? bytes : opened.open(bytes)
  }
  const { createdAt, scope, sealed, repositoryCount } = envelope
  return {
    ...{ root, createdAt, scope, sealed, repositoryCount },
    async *repositories(stop) {
      for await (const { key, value } of tree(envelope.repositories, (cid) => get(cid, stop))) {
        yield decodeRepository(key, value)
      }
    },
    async *rows(repository, kind, stop) {
      for await (const { key, value } of tree(repository.content, (cid) => get(cid, stop), firstKey(kind))) {
        const row = decodeRow(key, value)
        if (row.kind !== kind) return
        yield row as Extract<SnapshotRow, { kind: typeof kind }>
      }
    },
    async *content({ cid, held }, stop) {
      if (opened === null || held.length === 0) return yield* fetchFile(cid, fetchBlock, stop)
      for (const piece of held) yield await get(piece, stop)
    },
  }
}

/** What is wrong with nodes is wrong with the snapshot. */
async function* tree(...input: Parameters<typeof readSortedTree>): ReturnType<typeof readSortedTree> {
  try {
    yield* readSortedTree(...input)
  } catch (cause) {
    if (cause instanceof NodeError)
      throw new SnapshotError(`The snapshot is not whole: ${cause.message}`, { cause })
    throw cause
  }
}
