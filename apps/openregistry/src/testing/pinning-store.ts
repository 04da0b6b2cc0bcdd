import { createHash } from 'node:crypto'
import { createMemoryBlobStore } from '@openregistry/blobs'
import type { BlobStore, LayoutBlocks, PinsLayouts } from '@openregistry/core'
import { cidParts, dagPbCodec, decodeDagPb, formatCid, type Cid, type CidParts } from '@openregistry/dag'
import { RegistryError } from '@openregistry/oci'

/** A backend in memory that holds layouts, and knows what is missing for them to be whole. */
export class PinningStore {
  /** Blocks of each layout, by the hash of its root. */
  readonly pins = new Map<string, Map<string, Uint8Array>>()
  /** Whether it takes a pin now, or gives one up. */
  isAway = false
  /** Called before a pin is taken. */
  beforePin: () => Promise<void> = () => Promise.resolve()
  readonly store: BlobStore & PinsLayouts

  constructor(backend: string) {
    const pinning: PinsLayouts = {
      pinLayout: (layout) => this.#pin(layout),
      unpinLayout: async (root) => {
        if (this.isAway) throw new RegistryError('STORAGE_UNAVAILABLE')
        this.pins.delete(root.toHex())
      },
      hasLayout: async (root) => this.pins.has(root.toHex()),
    }
    this.store = Object.assign(createMemoryBlobStore({ backend, public: true }), pinning)
  }

  async #pin({ root, shapes, read }: LayoutBlocks): Promise<void> {
    await this.beforePin()
    if (this.isAway) throw new RegistryError('STORAGE_UNAVAILABLE')
    const blocks = new Map<string, Uint8Array>()
    let index = 0
    for await (const bytes of read()) {
      const shape = shapes[index++]
      const hash = createHash('sha256').update(bytes).digest('hex')
      if (shape === undefined || shape.sha256.toHex() !== hash || shape.size !== bytes.length)
        throw new Error('A block is not what was announced.')
      blocks.set(hash, new Uint8Array(bytes))
    }
    if (index !== shapes.length || blocks.size !== index)
      throw new Error('Blocks are missing, or come twice.')
    this.pins.set(root.toHex(), blocks)
  }

  /** What under a layout it does not have: the large blobs. */
  missing(root: Uint8Array): Cid[] {
    const blocks = this.pins.get(root.toHex()) ?? new Map<string, Uint8Array>()
    const missing = new Set<Cid>()
    const visit = (parts: CidParts): void => {
      const bytes = blocks.get(parts.digest.toHex())
      if (bytes === undefined) missing.add(formatCid(parts))
      else if (parts.codec === dagPbCodec) for (const link of decodeDagPb(bytes).links) visit(link.cid)
    }
    visit({ ...cidParts(rootCid), digest: root })
    return [...missing]
  }
}

/** Any directory. */
const rootCid = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354' as Cid
