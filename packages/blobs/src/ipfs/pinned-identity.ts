import { setTimeout as delay } from 'node:timers/promises'
import { identityName, parseBackendIdentity, type BackendIdentity } from '@openregistry/core'
import type { Cid } from '@openregistry/dag'
import type { ObjectIndex } from './object-index.ts'
import type { PinService } from './pin-service.ts'
import { persistently } from './retrying.ts'

/**
 * How long a claim waits before it looks which one is there, in milliseconds. A pin replaces another one of the same CID, and
 * nothing in these services writes only what is not there yet. So of servers that begin at the same moment all write, and
 * all that are done within this time read the last one. Who is later than that finds that the database knows another one
 * than it has written, and puts that back: each claim has a pin of its own as well, which shows that it was made here.
 */
const settling = 1000

/** The identity of a registry in a service that pins: an entry of the index that is no object. */
export class PinnedIdentity {
  readonly #pins: PinService
  readonly #index: ObjectIndex
  readonly #cid: Cid
  readonly #retryWithin: number
  #claiming: Promise<unknown> = Promise.resolve()

  /** @param retryWithin milliseconds in which something is tried again that did not reach the service. */
  constructor(pins: PinService, index: ObjectIndex, retryWithin: number) {
    this.#pins = pins
    this.#index = index
    this.#cid = index.cidOfText(identityName)
    this.#retryWithin = retryWithin
  }

  /** What it is, or null. @throws RegistryError `STORAGE_UNAVAILABLE`. */
  async read(): Promise<BackendIdentity | null> {
    const text = await this.#again(() => this.#pins.entryOf(this.#cid))
    return text === null ? null : parseBackendIdentity(text)
  }

  /** Writes it if there is none. @returns what it is then. @throws RegistryError storage faults. */
  claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const claimed = this.#claiming.then(() => this.#claim(identity))
    this.#claiming = claimed.catch(() => undefined)
    return claimed
  }

  async #claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const found = await this.read()
    if (found !== null) return found
    await this.#again(() => this.#pins.pinEntry(this.#claimOf(identity), identity))
    await this.replace(identity)
    await delay(settling)
    return (await this.read()) ?? identity
  }

  /** Puts one back that was claimed here, too. @throws RegistryError storage faults. */
  async concede(identity: BackendIdentity): Promise<void> {
    const claimed = await this.#again(() => this.#pins.entryOf(this.#claimOf(identity)))
    if (claimed !== null) await this.replace(identity)
  }

  #claimOf(identity: BackendIdentity): Cid {
    return this.#index.cidOfText(`${identityName}/${identity}`)
  }

  /** Writes it, whatever was there. @throws RegistryError storage faults. */
  async replace(identity: BackendIdentity): Promise<void> {
    await this.#again(() => this.#pins.pinEntry(this.#cid, identity))
  }

  #again<T>(attempt: () => Promise<T>): Promise<T> {
    return persistently(attempt, { within: this.#retryWithin })
  }
}
