import type { Collection } from '@openregistry/core'
import { formatBytes, formatCount } from '../terminal/amounts.ts'

/** Milliseconds between two looks of the line. */
const refresh = 250

/** One line on a terminal that says how far a collection is; nothing anywhere else. */
export class CollectionProgress {
  readonly #output: { isTTY?: boolean; write(text: string): unknown }
  #drawnAt = -Infinity

  constructor(output: { isTTY?: boolean; write(text: string): unknown }) {
    this.#output = output
  }

  show({ blobs, bytes, links, manifests }: Readonly<Collection>): void {
    const now = performance.now()
    if (this.#output.isTTY !== true || now - this.#drawnAt < refresh) return
    this.#drawnAt = now
    const parts = [formatCount(manifests, 'manifest'), formatCount(links, 'link'), formatCount(blobs, 'blob')]
    this.#output.write(`\r\u001b[K${parts.join(', ')}, ${formatBytes(bytes)}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#drawnAt > -Infinity) this.#output.write('\r\u001b[K')
  }
}
