import { RegistryError } from '@openregistry/oci'
import type { BlobStore } from './ports/blob-store.ts'
import type { ContentHasher } from './ports/content-hasher.ts'
import type { MetadataStore, Milliseconds, Visibility } from './ports/metadata-store.ts'
import type { NameKeys } from './ports/name-keys.ts'

/** Bounds of use cases. Sizes in bytes; 0 means no limit where that is said. */
export interface Limits {
  /** Largest manifest. */
  manifest: number
  /** Largest blob; 0: none. */
  blob: number
  /** Open upload sessions in one repository; 0: none. */
  uploadsPerRepository: number
  /** Tags that one manifest push may set. */
  tagsPerPush: number
  /** Largest page of any list, and the page when the client names no size. */
  page: number
}

/** What use cases need to know of the configuration. */
export interface Settings {
  defaultVisibility: Visibility
  /** Name of the backend that new content goes to, where nothing else says otherwise. */
  backend: string
  /** The backend of namespaces that have one of their own. */
  namespaces: Readonly<Record<string, string>>
  /** Backends that get a second copy of what may lie there. */
  replicas: readonly string[]
  /** How long a blob is safe without a manifest. */
  lease: Milliseconds
  /** How long what was deleted can be restored. */
  grace: Milliseconds
  /** How long an upload session lives after its last progress. */
  uploadLifetime: Milliseconds
  limits: Limits
}

/** Everything that use cases stand on. */
export interface Ports {
  metadata: MetadataStore
  /** By the name that `blob_locations.backend` has. */
  backends: ReadonlyMap<string, BlobStore>
  hasher: ContentHasher
  /** Null: repositories have no names in IPNS, since nothing is shown to clients of it. */
  names: NameKeys | null
  settings: Settings
}

/**
 * The backend of a stored location.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when the configuration no longer has it.
 */
export function backendNamed(ports: Pick<Ports, 'backends'>, name: string): BlobStore {
  const store = ports.backends.get(name)
  if (store === undefined) {
    throw new RegistryError('STORAGE_UNAVAILABLE', `The storage backend "${name}" is not configured here.`)
  }
  return store
}
