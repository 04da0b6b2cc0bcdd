import {
  dagLink,
  decodeDagValue,
  encodeDagValue,
  linkedCid,
  sameBytes,
  NodeError,
  type Cid,
  type DagValue,
} from '@openregistry/dag'
import { SnapshotError } from './snapshot-error.ts'

/** What a snapshot begins with: everything that is needed to believe the rest, and to know how to read it. */
export interface Envelope {
  /** Ed25519, 32 bytes. */
  publicKey: Uint8Array
  /** When it was made, in milliseconds since 1970. */
  createdAt: number
  /** Whether private repositories are in it, too. */
  scope: 'public' | 'all'
  /** Whether all other blocks are sealed. */
  sealed: boolean
  /** Root of the tree of repositories. */
  repositories: Cid
  /** Of sealed blocks nobody sees how they hang together: lists of all of them, so that they can be pinned. */
  parts: Cid[]
  repositoryCount: number
}

/** Reads and writes of this package know this one alone. */
export const snapshotVersion = 1

const kind = 'openregistry snapshot'

/** @param sign Ed25519, with the key of the envelope. */
export function encodeEnvelope(envelope: Envelope, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const content = contentOf(envelope)
  return encodeDagValue({ ...content, signature: sign(messageOf(content)) })
}

/** What a reader believes. */
export interface Trust {
  /** The only key whose snapshots are taken, 32 bytes. */
  publicKey: Uint8Array
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/**
 * Reads an envelope that was signed with the trusted key.
 * @throws SnapshotError when it is something else.
 */
export function decodeEnvelope(bytes: Uint8Array, { publicKey, verify }: Trust): Envelope {
  const { signature, ...content } = mapOf(bytes)
  if (content['kind'] !== kind) throw new SnapshotError('This is no snapshot of a registry.')
  if (content['version'] !== snapshotVersion) {
    throw new SnapshotError(
      `The snapshot has version ${String(content['version'])}; this program reads version ${snapshotVersion}. Use a newer release.`,
    )
  }
  if (!(content['key'] instanceof Uint8Array) || !(signature instanceof Uint8Array)) throw malformed()
  if (!sameBytes(content['key'], publicKey)) {
    throw new SnapshotError('The snapshot was signed with another key than the trusted one.')
  }
  if (!verify(messageOf(content as Record<string, DagValue>), signature)) {
    throw new SnapshotError('The signature of the snapshot is forged, or the snapshot was changed.')
  }
  return envelopeOf(content)
}

function contentOf(envelope: Envelope): Record<string, DagValue> {
  const { publicKey, createdAt, scope, sealed, repositories, parts, repositoryCount } = envelope
  return {
    ...{ kind, version: snapshotVersion, key: publicKey, createdAt, scope, sealed, repositoryCount },
    repositories: dagLink(repositories),
    parts: parts.map(dagLink),
  }
}

function messageOf(content: Record<string, DagValue>): Uint8Array {
  return Buffer.concat([Buffer.from(`${kind}\n`), encodeDagValue(content)])
}

function mapOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value = decodeDagValue(bytes)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause
    throw new SnapshotError('This is no snapshot of a registry.', { cause })
  }
  throw new SnapshotError('This is no snapshot of a registry.')
}

function envelopeOf(content: Record<string, unknown>): Envelope {
  const { key, createdAt, scope, sealed, repositoryCount, parts } = content
  const repositories = linkedCid(content['repositories'])
  const links = Array.isArray(parts) ? parts.map(linkedCid) : [null]
  const isWhole =
    (scope === 'public' || scope === 'all') && typeof sealed === 'boolean' && repositories !== null
  if (!isWhole || typeof createdAt !== 'number' || typeof repositoryCount !== 'number') throw malformed()
  if (!links.every((link) => link !== null)) throw malformed()
  return {
    publicKey: key as Uint8Array,
    createdAt,
    scope,
    sealed,
    repositories,
    parts: links,
    repositoryCount,
  }
}

function malformed(): SnapshotError {
  return new SnapshotError('The beginning of the snapshot makes no sense.')
}
