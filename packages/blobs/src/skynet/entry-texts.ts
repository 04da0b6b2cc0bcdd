import type { NamedTexts } from '../ipfs/claimed-identity.ts'
import type { ObjectEntries } from './object-entries.ts'

/**
 * Texts in the registry of Skynet: entries that are no objects. Of two with the same number it keeps the one whose hash is
 * smaller, and refuses the other one.
 */
export function entryTexts(entries: ObjectEntries): NamedTexts {
  return {
    async read(name) {
      const entry = await entries.read(name)
      return entry === null ? null : Buffer.from(entry.data).toString()
    },
    async write(name, text) {
      const before = await entries.read(name)
      const revision = before === null ? 0 : before.revision + 1
      await entries.write(name, { data: Buffer.from(text), revision })
    },
  }
}
