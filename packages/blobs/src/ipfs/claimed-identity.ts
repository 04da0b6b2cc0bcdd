import { setTimeout as delay } from 'node:timers/promises'
import { identityName, parseBackendIdentity, type BackendIdentity } from '@openregistry/core'

/** Texts that a service keeps by their names, each in place of the one before. All throw RegistryError storage faults. */
export interface NamedTexts {
  read(name: string): Promise<string | null>
  write(name: string, text: string): Promise<void>
}

/**
 * The identity of a registry in a service where nothing is written only if it is not there yet. Of several servers that
 * claim at once more than one may write, and one of them stays in the end. Each claim has a text of its own as well, which
 * shows that it was made here, so that a server which has written over another one's identity can put that back.
 *
 * All throw RegistryError storage faults.
 */
export class ClaimedIdentity {
  readonly #texts: NamedTexts
  readonly #settling: number
  #claiming: Promise<unknown> = Promise.resolve()

  /**
   * @param settling milliseconds that a claim waits before it looks which one is there: all that are made within this time
   * read the same one.
   */
  constructor(texts: NamedTexts, settling: number) {
    this.#texts = texts
    this.#settling = settling
  }

  /** What it is, or null. */
  async read(): Promise<BackendIdentity | null> {
    const text = await this.#texts.read(identityName)
    return text === null ? null : parseBackendIdentity(text)
  }

  /** Writes it if there is none. @returns what it is then. */
  claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const claimed = this.#claiming.then(() => this.#claim(identity))
    this.#claiming = claimed.catch(() => undefined)
    return claimed
  }

  async #claim(identity: BackendIdentity): Promise<BackendIdentity> {
    const found = await this.read()
    if (found !== null) return found
    await this.#texts.write(claimName(identity), identity)
    try {
      await this.replace(identity)
    } catch (error) {
      // Somebody else was faster, or it is a fault of the service.
      const other = await this.read()
      if (other === null) throw error
      return other
    }
    if (this.#settling > 0) await delay(this.#settling)
    return (await this.read()) ?? identity
  }

  /** Puts one back that was claimed here, too. */
  async concede(identity: BackendIdentity): Promise<void> {
    if ((await this.#texts.read(claimName(identity))) !== null) await this.replace(identity)
  }

  /** Writes it, whatever was there. */
  replace(identity: BackendIdentity): Promise<void> {
    return this.#texts.write(identityName, identity)
  }
}

function claimName(identity: BackendIdentity): string {
  return `${identityName}/${identity}`
}
