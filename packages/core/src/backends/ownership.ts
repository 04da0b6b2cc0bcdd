import { RegistryError } from '@openregistry/oci'
import type { BackendIdentity, BackendTies, KeepsIdentity } from '../ports/backend-identity.ts'
import type { BlobStore } from '../ports/blob-store.ts'
import { LaterRun } from '../later-run.ts'
import { hasOtherIdentity, lacksIdentity } from './strangers.ts'

/** How long a backend is believed to be the right one without being asked again, in milliseconds. */
const believed = 1000

/**
 * Whether a backend is the one that the database means, now: disks are unmounted, and others mounted in their place, while
 * servers run.
 */
export class Ownership {
  readonly #store: Pick<BlobStore, 'backend'> & KeepsIdentity
  readonly #ties: Pick<BackendTies, 'findBackendIdentity'>
  #identity: BackendIdentity
  #confirmedAt = -Infinity
  readonly #asked = new LaterRun(() => this.#ask())

  /** See `KeepsIdentity.mountable`. */
  readonly mountable: boolean

  /** @param identity what the database knew at first; whoever replaces it there changes what is expected here. */
  constructor(
    store: Pick<BlobStore, 'backend'> & KeepsIdentity,
    ties: Pick<BackendTies, 'findBackendIdentity'>,
    identity: BackendIdentity,
  ) {
    this.mountable = store.mountable
    this.#store = store
    this.#ties = ties
    this.#identity = identity
  }

  /**
   * Resolves when the backend was the right one a moment ago: before something is given to it.
   * @throws RegistryError as {@link confirm}.
   */
  async presume(): Promise<void> {
    if (performance.now() - this.#confirmedAt > believed) await this.confirm()
  }

  /**
   * Resolves when the backend says, after this call, that it is the right one: then what was not found before it is missing,
   * and what was stored before it is stored there. Those who ask at once share an answer.
   * @throws RegistryError `STORAGE_UNAVAILABLE` when it is not, or does not say; `cause` has the reason, which is not for
   * clients.
   */
  confirm(): Promise<void> {
    return this.#asked.done()
  }

  async #ask(): Promise<void> {
    const askedAt = performance.now()
    try {
      await this.#compare()
    } catch (cause) {
      this.#confirmedAt = -Infinity
      throw new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
    }
    this.#confirmedAt = askedAt
  }

  async #compare(): Promise<void> {
    const held = await this.#store.readIdentity()
    if (held === this.#identity) return
    if (held === null) throw lacksIdentity(this.#store)
    const known = await this.#ties.findBackendIdentity(this.#store.backend)
    if (known !== held) throw hasOtherIdentity(this.#store)
    this.#identity = known
  }
}
