import { pause } from '../housekeeping/scrub/pace.ts'
import { pinsLayouts } from '../ports/layout-pins.ts'
import type { Ports } from '../settings.ts'
import { placementOf } from './rules.ts'

/** Pins that are let go together. */
const batch = 100

/** How often it is looked whether a pin that was just being made has gone, and milliseconds in between. */
const turns = { atMost: 100, pause: 100 }

/**
 * Lets go the layouts in public backends that were there on account of this repository alone, where it may have none.
 * @returns how many are still there, since they were just being given to their backend.
 * @throws RegistryError `STORAGE_UNAVAILABLE` when a backend is away; the reason of the signal.
 */
export async function releaseLayouts(
  ports: Pick<Ports, 'metadata' | 'backends' | 'settings'>,
  repositoryId: string,
  signal: AbortSignal,
): Promise<number> {
  const { metadata, backends } = ports
  const rules = placementOf(ports)
  for (let turn = 0; ;) {
    signal.throwIfAborted()
    const pins = await metadata.releaseLayoutPins({ repositoryId, rules, limit: batch })
    const idle = pins.filter(({ underWay }) => !underWay)
    for (const { backend, root } of idle) {
      const store = backends.get(backend)
      if (store !== undefined && pinsLayouts(store)) await store.unpinLayout(root)
      await metadata.forgetLayoutPin(backend, root, { released: true })
    }
    if (pins.length === 0 || turn === turns.atMost) return pins.length
    if (idle.length > 0) continue
    turn++
    await pause(turns.pause, signal)
  }
}
