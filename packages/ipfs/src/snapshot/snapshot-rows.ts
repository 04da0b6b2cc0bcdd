import type { Visibility } from '@openregistry/core'
import {
  decodeCid,
  encodeCid,
  cidParts,
  formatCid,
  dagLink,
  linkedCid,
  type Cid,
  type DagValue,
} from '@openregistry/dag'
import {
  parseDigest,
  parseRepositoryName,
  parseTag,
  type Digest,
  type RepositoryName,
  type Tag,
} from '@openregistry/oci'
import { SnapshotError } from './snapshot-error.ts'

/*
 * The rows of a snapshot. Repositories are a tree by name, and each has a tree of its own:
 *
 *   t<tag>      digest of the manifest
 *   u<digest>   a manifest: its type, and where its bytes are
 *   v<digest>   a blob: where its bytes are
 *
 * That is the order in which they are read from a database in use: a manifest or blob that is deleted meanwhile leaves no
 * tag that nothing stands behind but one that would be gone a moment later.
 */

/** Where content is. */
export interface SnapshotContent {
  /** As UnixFS has it. */
  cid: Cid
  /** In bytes. */
  size: number
  /**
   * Blocks of the snapshot that hold it; empty for blobs that are elsewhere. Sealed ones are its pieces in order, open ones
   * lead to the same as the CID.
   */
  held: Cid[]
}

/** A repository as its row has it. */
export interface SnapshotRepository {
  id: string
  name: RepositoryName
  visibility: Visibility
  /** Root of its tree. */
  content: Cid
}

/** A row of a repository. */
export type SnapshotRow =
  | { kind: 'tag'; tag: Tag; digest: Digest }
  | ({ kind: 'manifest'; digest: Digest; mediaType: string } & SnapshotContent)
  | ({ kind: 'blob'; digest: Digest } & SnapshotContent)

const prefixes = { tag: 't', manifest: 'u', blob: 'v' } as const

/** Where the rows of a kind begin. */
export function firstKey(kind: SnapshotRow['kind']): string {
  return prefixes[kind]
}

/** A row as its tree has it. */
export function encodeRow(row: SnapshotRow): [key: string, value: DagValue] {
  if (row.kind === 'tag') return [prefixes.tag + row.tag, row.digest]
  const { digest, cid, size, held } = row
  const content = { cid: encodeCid(cidParts(cid)), size, held: held.map(dagLink) }
  if (row.kind === 'blob') return [prefixes.blob + digest, content]
  return [prefixes.manifest + digest, { ...content, mediaType: row.mediaType }]
}

/** @throws SnapshotError when it is none. */
export function decodeRow(key: string, value: unknown): SnapshotRow {
  const name = key.slice(1)
  return checked(key, () => {
    if (key.startsWith(prefixes.tag))
      return { kind: 'tag', tag: parseTag(name), digest: parseDigest(value as string) }
    const content = contentOf(value)
    const digest = parseDigest(name)
    if (key.startsWith(prefixes.blob)) return { kind: 'blob', digest, ...content }
    const { mediaType } = value as { mediaType?: unknown }
    if (!key.startsWith(prefixes.manifest) || typeof mediaType !== 'string') throw new TypeError()
    return { kind: 'manifest', digest, mediaType, ...content }
  })
}

function contentOf(value: unknown): SnapshotContent {
  const { cid, size, held } = value as { cid?: unknown; size?: unknown; held?: unknown }
  if (!(cid instanceof Uint8Array) || !Array.isArray(held)) throw new TypeError()
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw new TypeError()
  const { cid: parts, size: length } = decodeCid(cid)
  if (length !== cid.length) throw new TypeError()
  return { cid: formatCid(parts), size, held: held.map(requireLink) }
}

/** A repository as its tree has it. */
export function encodeRepository({ id, name, visibility, content }: SnapshotRepository): [string, DagValue] {
  return [name, { id, visibility, content: dagLink(content) }]
}

/** @throws SnapshotError when it is none. */
export function decodeRepository(key: string, value: unknown): SnapshotRepository {
  return checked(key, () => {
    const { id, visibility, content } = value as Record<string, unknown>
    if (typeof id !== 'string' || !/^[0-9a-f-]{36}$/.test(id)) throw new TypeError()
    if (visibility !== 'public' && visibility !== 'private') throw new TypeError()
    return { id, name: parseRepositoryName(key), visibility, content: requireLink(content) }
  })
}

function requireLink(value: unknown): Cid {
  const cid = linkedCid(value)
  if (cid === null) throw new TypeError()
  return cid
}

/** Whatever is wrong with a row, it is this row. */
function checked<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new SnapshotError(`The snapshot has a row that makes no sense: ${JSON.stringify(key)}.`, { cause })
  }
}
