import { RegistryError } from '@openregistry/oci'
import type { KeepsIdentity } from '../ports/backend-identity.ts'
import type { Milliseconds } from '../ports/metadata-store.ts'
import type { Ownership } from './ownership.ts'

/** How long the start of a process waits for a backend across a network. */
const patience: Milliseconds = 3000

/** What is asked before a backend is believed; see {@link Ownership}. */
export type Ownable = Pick<Ownership, 'mountable' | 'presume' | 'confirm'>

/**
 * Finds out whether a backend is the one that the database means, now or, where it does not answer yet, each time that
 * something is asked of it: a service across a network may start after its registries.
 * @param tie finds it out.
 * @throws what `tie` throws about a backend that answers now.
 */
export async function ownedOnceThere(
  store: KeepsIdentity,
  tie: () => Promise<Ownership>,
  wait = patience,
): Promise<Ownable> {
  // Whoever asks something of it later hears why it does not answer, and so does /readyz.
  return (await answers(store, wait)) ? tie() : new LateOwnership(store.mountable, tie)
}

async function answers(store: KeepsIdentity, wait: Milliseconds): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), wait)))
  const asked = store.readIdentity().then(
    () => true,
    () => false,
  )
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

/** The ownership of a backend that was not there at the start. */
class LateOwnership implements Ownable {
  readonly mountable: boolean
  readonly #tie: () => Promise<Ownership>
  #tied: Promise<Ownership> | null = null

  constructor(mountable: boolean, tie: () => Promise<Ownership>) {
    this.mountable = mountable
    this.#tie = tie
  }

  async presume(): Promise<void> {
    await (await this.#settle()).presume()
  }

  async confirm(): Promise<void> {
    await (await this.#settle()).confirm()
  }

  /** Those who ask at once share an answer; a failure is nobody's but theirs. Its reason is not for clients. */
  #settle(): Promise<Ownership> {
    return (this.#tied ??= this.#tie().catch((cause: unknown) => {
      this.#tied = null
      throw new RegistryError('STORAGE_UNAVAILABLE', undefined, { cause })
    }))
  }
}
