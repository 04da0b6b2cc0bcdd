import type { BlobStore } from '../ports/blob-store.ts'
import {
  newBackendIdentity,
  type BackendIdentity,
  type BackendTies,
  type KeepsIdentity,
} from '../ports/backend-identity.ts'
import type { ScrubStore } from '../ports/scrub.ts'
import { hasMost, lookForObjects, type Presence } from './look-for-objects.ts'
import { holdsObjects } from './tie-backend.ts'

/** What there is to know before a backend is given to a database. */
export interface AdoptionFacts {
  /** `own`: the two know each other already. */
  identity: 'none' | 'own' | 'other'
  presence: Presence
  /** Whether the objects of the database are there, as far as was looked; true when it names none. */
  fits: boolean
  /** Whether it holds objects although the database names none. */
  holdsOthers: boolean
}

/**
 * Looks at a backend that somebody wants to give to a database.
 * @throws RegistryError faults of both.
 */
export async function examineAdoption(
  metadata: BackendTies & Pick<ScrubStore, 'listKeys'>,
  store: BlobStore & KeepsIdentity,
): Promise<AdoptionFacts> {
  const [known, held] = await Promise.all([metadata.findBackendIdentity(store.backend), store.readIdentity()])
  const names = await metadata.namesObjects(store.backend)
  const presence = names ? await lookForObjects(metadata, store) : { asked: 0, missing: 0 }
  return {
    identity: held === null ? 'none' : held === known ? 'own' : 'other',
    presence,
    fits: !names || hasMost(presence),
    holdsOthers: !names && (await holdsObjects(store)),
  }
}

/**
 * Gives a backend to a database, under a new identity: from now on every other database refuses it, copies of this one
 * included. Servers of this database that run on this backend go on. Killed in between, it is to be called again.
 * @throws RegistryError faults of both.
 */
export async function adoptBackend(
  metadata: BackendTies,
  store: BlobStore & KeepsIdentity,
): Promise<BackendIdentity> {
  const identity = newBackendIdentity()
  // The database first: a server that finds the new identity in the backend has to find it there, too.
  await metadata.retieBackend({ backend: store.backend, identity })
  await store.reclaim(identity)
  return identity
}
