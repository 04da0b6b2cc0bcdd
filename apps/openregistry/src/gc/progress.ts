import type { Collection } from '@openregistry/core'
import { formatBytes, formatCount } from '../terminal/amounts.ts'
import { ProgressLine, type ProgressOutput } from '../terminal/progress-line.ts'

/** One line on a terminal that says how far a collection is; nothing anywhere else. */
export class CollectionProgress {
  readonly #line: ProgressLine

  constructor(output: ProgressOutput) {
    this.#line = new ProgressLine(output)
  }

  show({ blobs, bytes, links, manifests }: Readonly<Collection>): void {
    const parts = [formatCount(manifests, 'manifest'), formatCount(links, 'link'), formatCount(blobs, 'blob')]
    this.#line.draw(() => `${parts.join(', ')}, ${formatBytes(bytes)}`)
  }

  /** Takes the line away. */
  end(): void {
    this.#line.end()
  }
}
