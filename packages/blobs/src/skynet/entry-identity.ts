import { identityName, parseBackendIdentity, type BackendIdentity } from '@openregistry/core'
import type { ObjectEntries } from './object-entries.ts'

/** The identity of a registry on Skynet: an entry that is no object. */
export class EntryIdentity {
  readonly #entries: ObjectEntries
  #claiming: Promise<unknown> = Promise.resolve()

  constructor(entries: ObjectEntries) {
    this.#entries = entries
  }

  /** What it is, or null. @throws RegistryError `STORAGE_UNAVAILABLE`. */
  async read(): Promise<BackendIdentity | null> {
    const entry = await this.#entries.read(identityName)
    return entry === null ? null : parseBackendIdentity(Buffer.from(entry.data).toString())
  }

  /**
   * Writes it if there is none. Of entries with the same number Skynet keeps the one whose hash is smaller, so of several servers
   * that do so at the same moment one wins in the end, and {@link concede} makes it the one that the database knows.
   * @returns what it is then. @throws RegistryError storage faults.
   */
  claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const claimed = this.#claiming.then(() => this.#claim(identity))
    this.#claiming = claimed.catch(() => undefined)
    return claimed
  }

  async #claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const found = await this.read()
    if (found !== null) return found
    await this.#entries.write(claimName(identity), { data: Buffer.from(identity), revision: 0 })
    try {
      await this.replace(identity)
    } catch (error) {
      // Somebody else was faster, or it is a fault of the portal.
      const other = await this.read()
      if (other === null) throw error
      return other
    }
    return (await this.read()) ?? identity
  }

  /** Puts one back that was claimed here, too. @throws RegistryError storage faults. */
  async concede(identity: BackendIdentity): Promise<void> {
    if ((await this.#entries.read(claimName(identity))) !== null) await this.replace(identity)
  }

  /** Writes it, whatever was there. @throws RegistryError storage faults. */
  async replace(identity: BackendIdentity): Promise<void> {
    const before = await this.#entries.read(identityName)
    const revision = before === null ? 0 : before.revision + 1
    await this.#entries.write(identityName, { data: Buffer.from(identity), revision })
  }
}

function claimName(identity: BackendIdentity): string {
  return `${identityName}/${identity}`
}
