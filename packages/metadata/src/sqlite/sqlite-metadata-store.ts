import { dirname } from 'node:path'
import type {
  AddPart,
  CommitBlob,
  ListingScope,
  MetadataStore,
  Milliseconds,
  OpenUpload,
  PageRequest,
  PutManifest,
  StorageKey,
  UploadId,
  Visibility,
} from '@openregistry/core'
import type { Digest, Reference, RepositoryName, Tag } from '@openregistry/oci'
import { backupDatabase } from './backup.ts'
import { requireSpace } from './free-space.ts'
import type { Reader } from './reader.ts'
import type { ServerLock } from './server-lock.ts'
import type { Writer } from './writer.ts'

/**
 * The port on one SQLite file: reads on the caller's thread, steps on the writer's. What each method does is in the file
 * of its name under `reads/` or `steps/`.
 */
export class SqliteMetadataStore implements MetadataStore {
  readonly #file: string
  readonly #reader: Reader
  readonly #writer: Writer
  readonly #lock: ServerLock | null

  constructor(file: string, reader: Reader, writer: Writer, lock: ServerLock | null) {
    this.#file = file
    this.#reader = reader
    this.#writer = writer
    this.#lock = lock
  }

  findRepository(name: RepositoryName) {
    return this.#reader.run('findRepository', name)
  }

  findManifest(name: RepositoryName, reference: Reference, options: { bytes: boolean }) {
    return this.#reader.run('findManifest', name, reference, options)
  }

  findBlob(name: RepositoryName, digest: Digest, options: { bytes: boolean } = { bytes: true }) {
    return this.#reader.run('findBlob', name, digest, options)
  }

  findMountSource(namespace: string, digest: Digest) {
    return this.#reader.run('findMountSource', namespace, digest)
  }

  findUpload(name: RepositoryName, id: UploadId) {
    return this.#reader.run('findUpload', name, id)
  }

  listParts(id: UploadId) {
    return this.#reader.run('listParts', id)
  }

  listTagNames(name: RepositoryName, page: PageRequest<string>) {
    return this.#reader.run('listTagNames', name, page)
  }

  listTags(name: RepositoryName, page: PageRequest<string>) {
    return this.#reader.run('listTags', name, page)
  }

  listRepositories(scope: ListingScope, page: PageRequest<string>) {
    return this.#reader.run('listRepositories', scope, page)
  }

  listReferrers(
    name: RepositoryName,
    subject: Digest,
    artifactType: string | null,
    page: PageRequest<string>,
  ) {
    return this.#reader.run('listReferrers', name, subject, artifactType, page)
  }

  openUpload(input: OpenUpload) {
    return this.#writer.run('openUpload', input)
  }

  addPart(input: AddPart) {
    return this.#writer.run('addPart', input)
  }

  commitBlob(input: CommitBlob) {
    return this.#writer.run('commitBlob', input)
  }

  cancelUpload(name: RepositoryName, id: UploadId) {
    return this.#writer.run('cancelUpload', name, id)
  }

  mountBlob(input: Parameters<MetadataStore['mountBlob']>[0]) {
    return this.#writer.run('mountBlob', input)
  }

  renewLease(repositoryId: string, digest: Digest, lease: Milliseconds) {
    return this.#writer.run('renewLease', repositoryId, digest, lease)
  }

  putManifest(input: PutManifest) {
    return this.#writer.run('putManifest', input)
  }

  deleteManifest(name: RepositoryName, digest: Digest, principal: string) {
    return this.#writer.run('deleteManifest', name, digest, principal)
  }

  deleteTag(name: RepositoryName, tag: Tag, principal: string) {
    return this.#writer.run('deleteTag', name, tag, principal)
  }

  deleteBlob(name: RepositoryName, digest: Digest) {
    return this.#writer.run('deleteBlob', name, digest)
  }

  setVisibility(name: RepositoryName, visibility: Visibility) {
    return this.#writer.run('setVisibility', name, visibility)
  }

  deleteRepository(name: RepositoryName, principal: string) {
    return this.#writer.run('deleteRepository', name, principal)
  }

  expireUploads(limit: number) {
    return this.#writer.run('expireUploads', limit)
  }

  sweepUpload(upload: UploadId, found: readonly StorageKey[]) {
    return this.#writer.run('sweepUpload', upload, found)
  }

  listPendingDeletes(limit: number) {
    return this.#reader.run('listPendingDeletes', limit)
  }

  forgetPendingDeletes(ids: readonly number[]) {
    return this.#writer.run('forgetPendingDeletes', ids)
  }

  async check() {
    await this.#writer.run('check')
    await requireSpace(dirname(this.#file))
  }

  figures() {
    return this.#reader.run('figures')
  }

  /**
   * Copies the database while it is in use: what was acknowledged when this was called is in the copy, and nothing half
   * done is.
   * @param target a file that must not exist yet; it is there when the promise resolves, whole and durable, and not
   * before.
   * @throws RegistryError `CONFLICT` when it exists, `STORAGE_FULL`, `METADATA_UNAVAILABLE`; the signal's reason.
   */
  backup(target: string, signal?: AbortSignal): Promise<void> {
    return backupDatabase(this.#file, target, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader[Symbol.dispose]()
    // The last connection that closes writes the log back, so this one is the writer's.
    await this.#writer[Symbol.asyncDispose]()
    this.#lock?.[Symbol.dispose]()
  }
}
