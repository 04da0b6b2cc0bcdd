import { randomHex } from './random-hex.ts'
import type { BlobStore } from './blob-store.ts'

declare const backendIdentity: unique symbol

/**
 * 128 random bits in lower-case hex that lie in a backend, beside the objects, and in the database whose rows name these
 * objects. By them the two know each other: an empty mount point is not taken for a backend that has lost everything, nor
 * the objects of one registry for left-overs of another.
 */
export type BackendIdentity = string & { readonly [backendIdentity]: true }

/** The name under which every backend keeps its identity: of a file, or of an object. No storage key looks like it. */
export const identityName = 'registry.id'

const hex32 = /^[0-9a-f]{32}$/

/** A new identity. */
export function newBackendIdentity(): BackendIdentity {
  return randomHex() as BackendIdentity
}

/** The identity that a backend holds as text, or null when that is none: half of one, or something else. */
export function parseBackendIdentity(text: string): BackendIdentity | null {
  const line = text.trimEnd()
  return hex32.test(line) ? (line as BackendIdentity) : null
}

/** Ability of a backend to keep an identity. Faults are those of {@link BlobStore}. */
export interface KeepsIdentity {
  /** What and where it is, for whoever operates it, and the setting that says so: `the folder /srv/blobs (dfs.disk.path)`. */
  readonly place: string

  /**
   * Whether another place can appear under the same name while a process runs, as when a disk is unmounted. Then whatever is
   * written or deleted is compared, too.
   */
  readonly mountable: boolean

  /** What lies there now, never from memory. Null when there is none, also when the place itself is not there. */
  readIdentity(): Promise<BackendIdentity | null>

  /**
   * Makes the place ready for objects, creating it if need be, and gives it this identity if it has none. Of several that
   * do so at once, one wins. Durable when it resolves.
   * @returns the identity that it has now.
   */
  claim(identity: BackendIdentity): Promise<BackendIdentity>

  /** The same, in place of an identity that it has. */
  reclaim(identity: BackendIdentity): Promise<void>

  /**
   * Of backends where the last one of several that claim at once wins, and not before all have: gives the place this identity
   * in place of another one, if it was claimed here as well.
   */
  concede?(identity: BackendIdentity): Promise<void>
}

/** Whether a store has the ability {@link KeepsIdentity}. */
export function keepsIdentity(store: BlobStore): store is BlobStore & KeepsIdentity {
  return 'readIdentity' in store
}

/** A backend by its name, and its identity. */
export interface BackendTie {
  backend: string
  identity: BackendIdentity
}

/** What the database knows of its backends: which identity each must have. */
export interface BackendTies {
  /** The identity that this backend must have; null: no server has written to it yet, as far as the database knows. */
  findBackendIdentity(backend: string): Promise<BackendIdentity | null>

  /** Whether a row says that an object is in this backend, or was there and is damaged or missing. */
  namesObjects(backend: string): Promise<boolean>

  /** Notes the identity of a backend, unless one is noted. @returns the one that is noted now. */
  tieBackend(tie: BackendTie): Promise<BackendIdentity>

  /** Notes the identity of a backend in place of any other. */
  retieBackend(tie: BackendTie): Promise<void>
}
