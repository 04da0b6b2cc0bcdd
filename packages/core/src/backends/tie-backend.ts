import { lists, type BlobStore } from '../ports/blob-store.ts'
import {
  newBackendIdentity,
  type BackendIdentity,
  type BackendTies,
  type KeepsIdentity,
} from '../ports/backend-identity.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { ScrubStore } from '../ports/scrub.ts'
import { hasMost, lookForObjects } from './look-for-objects.ts'
import { Ownership } from './ownership.ts'
import { belongsToOthers, hasOtherIdentity, lacksIdentity, lacksObjects, notTied } from './strangers.ts'

type Ties = BackendTies & Pick<ScrubStore, 'listKeys'>
type Backend = BlobStore & KeepsIdentity

/** How long another server may take from the identity of a backend to its row, and between two looks. */
const patience: Milliseconds = 5000
const betweenLooks: Milliseconds = 100

/**
 * Makes sure, at the start of a server, that a backend is the one that the database means, and ready. The first start of all
 * ties the two together, if they belong together: neither has anything yet, or the objects that the database names are
 * there, as after an upgrade from a release without identities.
 *
 * The identity is in the backend before it is in the database. So of servers that start at once with places of their own
 * one wins, and the others are refused; and one that is killed in between has tied nothing.
 *
 * @param wait for another server that is just about to tie them.
 * @throws RegistryError `STORAGE_UNAVAILABLE` whose message says what does not fit, and what to do; faults of both.
 */
export async function tieBackend(
  metadata: Ties,
  store: Backend,
  wait: Milliseconds = patience,
): Promise<Ownership> {
  const known = (await metadata.findBackendIdentity(store.backend)) ?? (await tieAnew(metadata, store, wait))
  // Another server may have claimed over it, and is about to put it back.
  const held = store.concede === undefined ? await store.readIdentity() : await settled(store, known, wait)
  const ownership = compared(metadata, store, { known, held })
  await store.claim(known)
  return ownership
}

/**
 * Makes sure that a backend is the one that the database means, for a command beside servers; creates nothing.
 * @throws RegistryError as {@link tieBackend}.
 */
export async function requireTied(
  metadata: Pick<BackendTies, 'findBackendIdentity'>,
  store: Backend,
): Promise<Ownership> {
  const known = await metadata.findBackendIdentity(store.backend)
  if (known === null) throw notTied(store)
  return compared(metadata, store, { known, held: await store.readIdentity() })
}

/**
 * Says what {@link tieBackend} would do, and changes nothing.
 * @returns `tied` when the two know each other, `free` when they would be tied.
 * @throws RegistryError as {@link tieBackend}.
 */
export async function examineTie(metadata: Ties, store: Backend): Promise<'tied' | 'free'> {
  const known = await metadata.findBackendIdentity(store.backend)
  if (known !== null) {
    compared(metadata, store, { known, held: await store.readIdentity() })
    return 'tied'
  }
  if ((await store.readIdentity()) === null) await requireFit(metadata, store)
  else if (await isInUse(metadata, store)) throw belongsToOthers(store)
  return 'free'
}

function compared(
  metadata: Pick<BackendTies, 'findBackendIdentity'>,
  store: Backend,
  { known, held }: { known: BackendIdentity; held: BackendIdentity | null },
): Ownership {
  if (held === null) throw lacksIdentity(store)
  if (held !== known) throw hasOtherIdentity(store)
  return new Ownership(store, metadata, known)
}

/**
 * Waits until the backend has this identity, if it has one at all. One look at the right one is enough: in the next moment
 * another server that begins may claim over it again, which knows by then whose turn it is.
 * @returns what it had at the last look.
 */
async function settled(
  store: Backend,
  known: BackendIdentity,
  wait: Milliseconds,
): Promise<BackendIdentity | null> {
  for (let waited = 0; ; waited += betweenLooks) {
    const held = await store.readIdentity()
    if (held === null || held === known || waited >= wait) return held
    await new Promise((resolve) => setTimeout(resolve, betweenLooks))
  }
}

/** @returns what the database knows from now on. */
async function tieAnew(metadata: Ties, store: Backend, wait: Milliseconds): Promise<BackendIdentity> {
  const { backend } = store
  const held = await store.readIdentity()
  if (held === null) {
    try {
      await requireFit(metadata, store)
    } catch (error) {
      // A server that tied them a moment ago takes pushes already: what was found is its own.
      const known = await metadata.findBackendIdentity(backend)
      if (known !== null) return known
      throw error
    }
    const known = await metadata.tieBackend({ backend, identity: await store.claim(newBackendIdentity()) })
    // The database keeps the first one of several, and some services the last one.
    if (store.concede !== undefined && (await store.readIdentity()) !== known) await store.concede(known)
    return known
  }
  if (!(await isInUse(metadata, store))) return metadata.tieBackend({ backend, identity: held })
  // Somebody has claimed it for another database, or for this one a moment ago.
  for (let waited = 0; waited <= wait; waited += betweenLooks) {
    const known = await metadata.findBackendIdentity(backend)
    if (known !== null) return known
    await new Promise((resolve) => setTimeout(resolve, betweenLooks))
  }
  throw belongsToOthers(store)
}

/** @throws RegistryError unless both are empty, or the backend has what the database names. */
async function requireFit(metadata: Ties, store: Backend): Promise<void> {
  if (!(await metadata.namesObjects(store.backend))) {
    if (await holdsObjects(store)) throw belongsToOthers(store)
    return
  }
  const presence = await lookForObjects(metadata, store)
  if (!hasMost(presence)) throw lacksObjects(store, presence)
}

/** Whether the database names objects, or the backend holds any. */
async function isInUse(metadata: Ties, store: Backend): Promise<boolean> {
  return (await metadata.namesObjects(store.backend)) || holdsObjects(store)
}

/** Whether anything is there, as far as that can be seen. A place that is missing holds nothing. */
export async function holdsObjects(store: BlobStore): Promise<boolean> {
  if (!lists(store)) return false
  for await (const _key of store.list('')) return true
  return false
}
