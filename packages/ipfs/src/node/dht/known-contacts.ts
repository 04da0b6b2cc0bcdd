import { closestCount } from './closest-peers.ts'
import type { Contact } from './contact.ts'

/** Peers that are remembered: with their addresses a megabyte. */
const room = 1024

/** Peers that answered, so that the next lookup begins near its end. Those that did so last are kept. */
export class KnownContacts {
  readonly #contacts = new Map<string, Contact>()

  get size(): number {
    return this.#contacts.size
  }

  add(contact: Contact): void {
    const key = contact.peer.toString()
    this.#contacts.delete(key)
    this.#contacts.set(key, contact)
    if (this.#contacts.size <= room) return
    for (const oldest of this.#contacts.keys()) {
      this.#contacts.delete(oldest)
      break
    }
  }

  drop({ peer }: Contact): void {
    this.#contacts.delete(peer.toString())
  }

  /** Those with which a lookup begins. */
  closest(target: Uint8Array): Contact[] {
    const near = (a: Contact, b: Contact): number => {
      for (let at = 0; at < target.length; at++) {
        const [one, other] = [a.place[at]! ^ target[at]!, b.place[at]! ^ target[at]!]
        if (one !== other) return one - other
      }
      return 0
    }
    return [...this.#contacts.values()].toSorted(near).slice(0, closestCount)
  }
}
