import { rawCid, unixfsTree, type Cid } from '@openregistry/dag'
import {
  RegistryError,
  digestAlgorithm,
  formatDigest,
  isForeignLayerType,
  parseManifest,
  type Digest,
  type ParsedManifest,
  type Reference,
  type RepositoryName,
  type Tag,
} from '@openregistry/oci'
import { authorize } from '../access/authorize.ts'
import { principalName, type Principal } from '../access/principal.ts'
import type { ManifestReference } from '../ports/metadata-store.ts'
import { placementOf } from '../placement/rules.ts'
import type { Ports } from '../settings.ts'

/** A manifest as it arrived. */
export interface PutManifestInput {
  repository: RepositoryName
  reference: Reference
  /** Tags beside the reference (`?tag=`), only with a digest. */
  tags: readonly Tag[]
  contentType: string | null
  bytes: Uint8Array
}

/** A manifest that is durable. */
export interface StoredImage {
  /** By the algorithm that the client used, sha256 otherwise. */
  digest: Digest
  cid: Cid
  mediaType: string
  subject: Digest | null
  tags: readonly Tag[]
  /** Children of an index that are not here (yet); allowed, worth a warning. */
  missing: readonly Digest[]
}

/**
 * Stores a manifest exactly as it came, with its tags, if every blob that it needs is linked in this repository.
 *
 * @throws RegistryError `UNAUTHORIZED`, `DENIED`, `MANIFEST_TOO_LARGE`, `MANIFEST_INVALID`, `DIGEST_INVALID`,
 * `MANIFEST_BLOB_UNKNOWN`, `PARAMETER_INVALID`, `CONFLICT` when blobs lie where they may not.
 */
export async function putManifest(
  ports: Ports,
  principal: Principal,
  input: PutManifestInput,
): Promise<StoredImage> {
  const { metadata, settings } = ports
  const facts = await metadata.findRepository(input.repository)
  authorize(principal, 'push', input.repository, facts)
  const tags = requireTags(input, settings.limits.tagsPerPush)
  if (tags.length > 0) authorize(principal, 'tag:overwrite', input.repository, facts)
  requireSize(input.bytes, settings.limits.manifest)
  const parsed = parseManifest(input.bytes, input.contentType)
  const identity = identify(ports, input)
  const { missing } = await metadata.putManifest({
    repository: input.repository,
    defaultVisibility: settings.defaultVisibility,
    principal: principalName(principal),
    ...identity,
    bytes: input.bytes,
    mediaType: parsed.mediaType,
    artifactType: parsed.artifactType,
    subject: parsed.subject?.digest ?? null,
    annotations: parsed.annotations,
    references: referencesOf(parsed),
    tags,
    rules: placementOf(ports),
  })
  const { digest, cid } = identity
  return { digest, cid, mediaType: parsed.mediaType, subject: parsed.subject?.digest ?? null, tags, missing }
}

/**
 * Refuses a body that is larger than the limit; transports ask before they read it, too.
 * @throws RegistryError `MANIFEST_TOO_LARGE`.
 */
function requireSize(bytes: Uint8Array, limit: number): void {
  if (bytes.length <= limit) return
  throw new RegistryError(
    'MANIFEST_TOO_LARGE',
    `The manifest is larger than ${limit} bytes (limits.manifest).`,
  )
}

function requireTags({ reference, tags }: PutManifestInput, limit: number): readonly Tag[] {
  if (reference.kind === 'tag') {
    if (tags.length > 0) {
      throw new RegistryError(
        'PARAMETER_INVALID',
        'The parameter "tag" goes with a push by digest, not by tag.',
      )
    }
    return [reference.tag]
  }
  if (tags.length > limit) {
    throw new RegistryError(
      'URI_TOO_LONG',
      `At most ${limit} tags can be set in one push (limits.tags_per_push).`,
    )
  }
  return [...new Set(tags)]
}

/** Digests and CID of the bytes; the digest that the client used must be one of them. */
function identify(
  { hasher }: Ports,
  { bytes, reference }: PutManifestInput,
): { digest: Digest; sha256: Digest; sha512: Digest | null; cid: Cid } {
  const named = reference.kind === 'digest' ? reference.digest : null
  const hashes = hasher.hashInline(bytes, { sha512: named !== null && digestAlgorithm(named) === 'sha512' })
  const sha256 = formatDigest('sha256', hashes.sha256)
  const sha512 = hashes.sha512 === null ? null : formatDigest('sha512', hashes.sha512)
  if (named !== null && named !== sha256 && named !== sha512) {
    throw new RegistryError('DIGEST_INVALID', 'The manifest does not have the digest that was given.', {
      detail: { given: named, actual: sha512 ?? sha256 },
    })
  }
  const small = hashes.leaves.length <= 32
  const cid = small
    ? rawCid(hashes.sha256)
    : unixfsTree(hashes, (node) => hasher.hashInline(node, { sha512: false }).sha256).cid
  return { digest: named ?? sha256, sha256, sha512, cid }
}

/** What the manifest needs, each digest once; `blob` wins, since it is the strictest. */
function referencesOf(parsed: ParsedManifest): ManifestReference[] {
  const kinds = new Map<Digest, ManifestReference['kind']>()
  for (const child of parsed.manifests) kinds.set(child.digest, 'manifest')
  for (const layer of parsed.layers) {
    if (isForeignLayerType(layer.mediaType) && !kinds.has(layer.digest)) kinds.set(layer.digest, 'foreign')
  }
  for (const layer of parsed.layers) if (!isForeignLayerType(layer.mediaType)) kinds.set(layer.digest, 'blob')
  if (parsed.config !== null) kinds.set(parsed.config.digest, 'blob')
  return [...kinds].map(([digest, kind]) => ({ digest, kind }))
}
