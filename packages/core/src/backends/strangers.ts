import { RegistryError } from '@openregistry/oci'
import { identityName } from '../ports/backend-identity.ts'
import type { Presence } from './look-for-objects.ts'

/*
 * What is said when a backend and a database do not belong together, or nobody can tell. For whoever operates the registry:
 * these texts name places.
 */

const wrongPlace = 'This is not where the blobs of this registry are'

const mounted = 'Is its disk mounted, and does the configuration name the right place and the right database?'

const adopting =
  'If they are to belong together from now on (a backup was restored, or blobs were moved), run "openregistry adopt", which says what follows from it.'

/** The database knows an identity, and the backend has none. */
export function lacksIdentity(place: string): RegistryError {
  return refusal(`${wrongPlace}: ${place} is not there, or has no ${identityName}. ${mounted} ${adopting}`)
}

/** The database knows an identity, and the backend has another one. */
export function hasOtherIdentity(place: string): RegistryError {
  const found = `the ${identityName} of ${place} is another one than the database knows`
  return refusal(`${wrongPlace}: ${found}. ${mounted} ${adopting}`)
}

/** The database knows no identity, and too many of its objects are missing. */
export function lacksObjects(place: string, { asked, missing }: Presence): RegistryError {
  const found =
    asked === 0
      ? `the database knows of no good object in ${place}, only of damaged and missing ones`
      : `${missing} of ${asked} objects that the database names were looked for in ${place} and are not there`
  return refusal(`${wrongPlace}: ${found}. ${mounted} ${adopting}`)
}

/** The database knows no identity, and the backend holds what the database does not name. */
export function belongsToOthers(place: string): RegistryError {
  const found = `${place} holds objects of another registry, or of a database that is not this one`
  return refusal(`${wrongPlace}: ${found}. ${mounted} ${adopting}`)
}

/** No server has used the two together, so a command cannot know whether they belong together. */
export function notTied(place: string): RegistryError {
  return refusal(
    `No server has used ${place} with this database yet. Start one: it looks whether the two belong together.`,
  )
}

function refusal(message: string): RegistryError {
  return new WrongBackend('STORAGE_UNAVAILABLE', message)
}

/** A backend and a database that do not belong together, or of which nobody can tell; nothing that passes by itself. */
export class WrongBackend extends RegistryError {}
