import type { NamedTexts } from './claimed-identity.ts'
import type { ObjectIndex } from './object-index.ts'
import type { PinService } from './pin-service.ts'
import { persistently } from './retrying.ts'

/**
 * Texts of a service that pins: entries of the index that are no objects.
 * @param within milliseconds in which something is tried again that did not reach the service.
 */
export function pinnedTexts(pins: PinService, index: ObjectIndex, within: number): NamedTexts {
  return {
    read: (name) => persistently(() => pins.entryOf(index.cidOfText(name)), { within }),
    write: (name, text) => persistently(() => pins.pinEntry(index.cidOfText(name), text), { within }),
  }
}
