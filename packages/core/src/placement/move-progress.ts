import type { MetadataStore } from '../ports/metadata-store.ts'
import type { MoveTask } from '../ports/placement.ts'

/** Milliseconds between two notes about bytes that are being copied. */
const interval = 1000

/** The repository was moved elsewhere, its move was stopped, or it has gone. */
export class MoveStopped extends Error {}

/** Says how far the blobs are that are being copied now, once a second at most, and hears when that is not wanted any more. */
export class MoveProgress implements AsyncDisposable {
  readonly #metadata: MetadataStore
  readonly #task: MoveTask
  #underWay = 0
  #noted = 0
  #notedAt = performance.now()

  constructor(metadata: MetadataStore, task: MoveTask) {
    this.#metadata = metadata
    this.#task = task
  }

  /** Begins a blob. Dispose it when its copy has ended: then the blob counts as a whole, or not at all. */
  begin(): { add(bytes: number): Promise<void> } & Disposable {
    let own = 0
    return {
      add: async (bytes) => {
        own += bytes
        this.#underWay += bytes
        if (performance.now() - this.#notedAt < interval) return
        this.#notedAt = performance.now()
        await this.#note(this.#underWay)
        await this.expectWanted()
      },
      [Symbol.dispose]: () => {
        this.#underWay -= own
      },
    }
  }

  /** @throws MoveStopped. */
  async expectWanted(): Promise<void> {
    const { repositoryId, backend } = this.#task
    const now = await this.#metadata.findMoveTask(repositoryId)
    if (now?.backend !== backend) throw new MoveStopped()
  }

  async #note(underWay: number): Promise<void> {
    this.#noted = underWay
    await this.#metadata.noteMove({ repositoryId: this.#task.repositoryId, underWay, error: null })
  }

  /** Nothing is being copied any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#noted > 0) await this.#note(0)
  }
}
