import { expect } from 'vitest'
import {
  newStorageKey,
  newUploadId,
  type CommitBlob,
  type ManifestReference,
  type MetadataStore,
  type OpenUpload,
  type PlacementRules,
  type PutManifest,
  type StorageKey,
  type UploadId,
  type UploadPart,
  type UploadSession,
} from '@openregistry/core'
import {
  RegistryError,
  mediaTypes,
  type Digest,
  type ErrorCode,
  type RepositoryName,
} from '@openregistry/oci'
import { hashedContent, sha256Of, type HashedContent } from './content.ts'

export const hour = 3_600_000
export const backend = 'disk'

/** One backend, which is not public. */
export const diskAlone: PlacementRules = { backends: [backend], public: [], namespaces: {}, replicas: [] }

/** Whether new content is bytes of the row or an object. */
export type Kind = UploadPart['stored']['kind']

/** Opens a session for a repository. */
export function openSession(
  store: MetadataStore,
  repository: RepositoryName,
  over: Partial<OpenUpload> = {},
): Promise<UploadSession> {
  return store.openUpload({
    id: newUploadId(),
    repository,
    defaultVisibility: 'private',
    principal: 'user:ada',
    rules: diskAlone,
    algorithm: null,
    lifetime: hour,
    limit: 0,
    ...over,
  })
}

/** A new place for content of an upload. */
export function placeFor(
  upload: UploadId,
  content: HashedContent,
  kind: Kind = 'object',
): UploadPart['stored'] {
  return kind === 'inline' ? { kind, bytes: content.bytes } : { kind, key: newStorageKey(upload) }
}

/** A part with a new object. */
export function partAt(
  upload: UploadId,
  offset: number,
  content: HashedContent,
  kind: Kind = 'object',
): UploadPart {
  return {
    offset,
    size: content.size,
    stored: placeFor(upload, content, kind),
    hashes:
      offset === 0
        ? { size: content.size, sha256: sha256Of(content.bytes), sha512: null, leaves: content.leaves }
        : null,
  }
}

/** What commits this content in one go, under its sha256 digest. */
export function commitOf(
  upload: UploadId,
  content: HashedContent,
  over: Partial<CommitBlob> = {},
): CommitBlob {
  return {
    upload,
    offset: 0,
    digest: content.sha256,
    sha256: content.sha256,
    sha512: null,
    size: content.size,
    cid: content.cid,
    leaves: content.leaves,
    nodes: content.nodes,
    stored: placeFor(upload, content),
    lease: hour,
    rules: diskAlone,
    ...over,
  }
}

/** A blob that was pushed. */
export interface Pushed extends HashedContent {
  upload: UploadId
  stored: UploadPart['stored']
}

/** Pushes a blob in one request. */
export async function pushBlob(
  store: MetadataStore,
  repository: RepositoryName,
  content: HashedContent = hashedContent(),
  over: Partial<CommitBlob> = {},
): Promise<Pushed> {
  const { id } = await openSession(store, repository, over.rules === undefined ? {} : { rules: over.rules })
  const commit = commitOf(id, content, over)
  await store.commitBlob(commit)
  return { ...content, upload: id, stored: commit.stored }
}

/** What a pushed manifest is made of; everything else has a default. */
export interface ManifestWish extends Partial<Omit<PutManifest, 'references'>> {
  blobs?: readonly Digest[]
  references?: readonly ManifestReference[]
}

let salt = 0

/** A manifest with new bytes (or `bytes`) that needs these blobs. */
export function manifestOf(repository: RepositoryName, wish: ManifestWish = {}): PutManifest {
  const { blobs = [], references = [], bytes, ...over } = wish
  const content = hashedContent(
    bytes ?? `{"schemaVersion":2,"salt":${++salt},"blobs":${JSON.stringify(blobs)}}`,
  )
  return {
    repository,
    defaultVisibility: 'private',
    principal: 'user:ada',
    digest: content.sha256,
    sha256: content.sha256,
    sha512: null,
    cid: content.cid,
    bytes: content.bytes,
    mediaType: mediaTypes.ociManifest,
    artifactType: null,
    subject: null,
    annotations: null,
    references: [...blobs.map((digest) => ({ digest, kind: 'blob' }) as const), ...references],
    tags: [],
    rules: diskAlone,
    ...over,
  }
}

/** Pushes a manifest and gives what was pushed. */
export async function pushManifest(
  store: MetadataStore,
  repository: RepositoryName,
  wish: ManifestWish = {},
): Promise<PutManifest> {
  const manifest = manifestOf(repository, wish)
  await store.putManifest(manifest)
  return manifest
}

/** The manifest that a tag or digest finds, or null. */
export async function manifestAt(store: MetadataStore, repository: RepositoryName, reference: string) {
  const found = await store.findManifest(
    repository,
    reference.includes(':')
      ? { kind: 'digest', digest: reference as Digest }
      : { kind: 'tag', tag: reference as PutManifest['tags'][number] },
    { bytes: true },
  )
  return found?.manifest ?? null
}

/** The blob that a repository has, or null. */
export async function blobAt(store: MetadataStore, repository: RepositoryName, digest: Digest) {
  return (await store.findBlob(repository, digest))?.blob ?? null
}

/** Names of all tags, in the order of the list. */
export async function tagsOf(store: MetadataStore, repository: RepositoryName): Promise<string[] | null> {
  const found = await store.listTags(repository, { after: null, limit: 1000 })
  return found && found.page.items.map(({ tag }) => tag)
}

/** Keys of all objects that are to be deleted. */
export async function pendingKeys(store: MetadataStore): Promise<StorageKey[]> {
  return (await store.listPendingDeletes(100_000)).map(({ key }) => key)
}

/** Expects that a step refuses with this code, and gives the error. */
export async function refused(step: Promise<unknown>, code: ErrorCode): Promise<RegistryError> {
  const error = await step.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error === null) throw new Error(`Expected ${code}, but the step was taken.`)
  if (!(error instanceof RegistryError)) throw error
  expect(error.code).toBe(code)
  return error
}
