import { RegistryError } from '@openregistry/oci'
import { identityName, type KeepsIdentity } from '../ports/backend-identity.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import type { Presence } from './look-for-objects.ts'

/*
 * What is said when a backend and a database do not belong together, or nobody can tell. For whoever operates the registry:
 * these texts name places.
 */

const wrongPlace = 'This is not where the blobs of this registry are'

const mounted = 'Is its disk mounted, and does the configuration name the right place and the right database?'

/** What is refused. */
type Stranger = Pick<BlobStore & KeepsIdentity, 'backend' | 'place' | 'concede'>

function adopting({ backend }: Stranger): string {
  return `If they are to belong together from now on (a backup was restored, or blobs were moved), run "openregistry adopt --backend ${backend}", which says what follows from it.`
}

/** The database knows an identity, and the backend has none. */
export function lacksIdentity(store: Stranger): RegistryError {
  return refusal(store, `${store.place} is not there, or has no ${identityName}`)
}

/** The database knows an identity, and the backend has another one. */
export function hasOtherIdentity(store: Stranger): RegistryError {
  const found = `the ${identityName} of ${store.place} is another one than the database knows`
  // Nothing tells this from a registry that took the place on purpose, so it is not put right by itself.
  const killed =
    ' Or a server of this registry was killed in the second of its very first start, after it had written its own.'
  return refusal(store, store.concede === undefined ? found : `${found}.${killed}`)
}

/** The database knows no identity, and too many of its objects are missing. */
export function lacksObjects(store: Stranger, { asked, missing }: Presence): RegistryError {
  const { place } = store
  const found =
    asked === 0
      ? `the database knows of no good object in ${place}, only of damaged and missing ones`
      : `${missing} of ${asked} objects that the database names were looked for in ${place} and are not there`
  return refusal(store, found)
}

/** The database knows no identity, and the backend holds what the database does not name. */
export function belongsToOthers(store: Stranger): RegistryError {
  const found = `${store.place} holds objects of another registry, or of a database that is not this one`
  return refusal(store, found)
}

/** No server has used the two together, so a command cannot know whether they belong together. */
export function notTied({ backend, place }: Stranger): RegistryError {
  return new WrongBackend(
    backend,
    `No server has used ${place} with this database yet. Start one: it looks whether the two belong together.`,
  )
}

function refusal(store: Stranger, found: string): RegistryError {
  const sentence = found.endsWith('.') ? found : `${found}.`
  return new WrongBackend(store.backend, `${wrongPlace}: ${sentence} ${mounted} ${adopting(store)}`)
}

/** A backend and a database that do not belong together, or of which nobody can tell; nothing that passes by itself. */
export class WrongBackend extends RegistryError {
  /** Its name in the configuration. */
  readonly backend: string

  constructor(backend: string, message: string) {
    super('STORAGE_UNAVAILABLE', message)
    this.backend = backend
  }
}
