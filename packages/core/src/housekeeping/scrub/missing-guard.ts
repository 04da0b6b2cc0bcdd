import { RegistryError } from '@openregistry/oci'
import { fewAreMissing, lookForObjects } from '../../backends/look-for-objects.ts'
import type { Milliseconds } from '../../ports/metadata-store.ts'
import { backendNamed, type Ports } from '../../settings.ts'

/** Missing objects that are marked however few there are in all. */
const spared = 10

/** How long an answer holds, while one missing object after the other is met. */
const believed: Milliseconds = 10_000

/**
 * Keeps scrub from taking a registry out of service because a backend shows a part of what it has: a copy that was broken
 * off, a disk of several that is away. Single objects that are missing are marked; more than a tenth is for somebody to
 * look at first.
 */
export class MissingGuard {
  readonly #ports: Ports
  readonly #accepted: boolean
  readonly #allowedUntil = new Map<string, number>()

  /** @param accepted whether somebody has looked, and said that they are missing indeed. */
  constructor(ports: Ports, accepted: boolean) {
    this.#ports = ports
    this.#accepted = accepted
  }

  /**
   * To be asked before an object is marked as missing.
   * @throws RegistryError `STORAGE_UNAVAILABLE` when too many are.
   */
  async allow(backend: string): Promise<void> {
    if (this.#accepted || performance.now() < (this.#allowedUntil.get(backend) ?? -Infinity)) return
    const presence = await lookForObjects(this.#ports.metadata, backendNamed(this.#ports, backend))
    if (!fewAreMissing(presence, spared)) throw tooMany(backend, presence.missing, presence.asked)
    this.#allowedUntil.set(backend, performance.now() + believed)
  }
}

function tooMany(backend: string, missing: number, asked: number): RegistryError {
  return new RegistryError(
    'STORAGE_UNAVAILABLE',
    `${missing} of ${asked} objects that were looked for in the backend ${backend} are missing. That is more than single objects ` +
      'get lost, so none was marked: is a part of it not mounted, or was it restored in part? What is back is found by ' +
      'itself. If they are lost, "openregistry scrub --accept-missing" marks them, so that pushes bring them back.',
  )
}
