import type { Want } from './wantlist.ts'

/**
 * What a peer waits for, each CID once, the oldest first. It is bounded: whoever adds to it waits for room, and so does the
 * peer whose message is not read on meanwhile.
 */
export class WantQueue {
  readonly #wants = new Map<string, Want>()
  readonly #limit: number
  #room: PromiseWithResolvers<void> | null = null

  /** @param limit wants that may wait. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#wants.size === 0
  }

  /** Adds a want once there is room. @throws the reason of the signal. */
  async add(want: Want, signal: AbortSignal): Promise<void> {
    const key = keyOf(want.cid)
    while (this.#wants.size >= this.#limit && !this.#wants.has(key)) await this.#untilRoom(signal)
    signal.throwIfAborted()
    this.#wants.set(key, merged(want, this.#wants.get(key)))
  }

  cancel(cid: Uint8Array): void {
    this.#wants.delete(keyOf(cid))
    this.#freed()
  }

  clear(): void {
    this.#wants.clear()
    this.#freed()
  }

  /** Takes the oldest. */
  take(): Want | null {
    for (const [key, want] of this.#wants) {
      this.#wants.delete(key)
      this.#freed()
      return want
    }
    return null
  }

  async #untilRoom(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const room = (this.#room ??= Promise.withResolvers())
    // One that leaves takes nothing from the others that wait.
    const gone = Promise.withResolvers<never>()
    const stop = (): void => gone.reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([room.promise, gone.promise])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #freed(): void {
    this.#room?.resolve()
    this.#room = null
  }
}

/** Asked twice, for the block and whether it is there, the block is the answer to both. */
function merged(want: Want, before: Want | undefined): Want {
  if (before === undefined) return want
  const type = before.type === 'block' ? 'block' : want.type
  return { ...want, type, sendDontHave: want.sendDontHave || before.sendDontHave }
}

const keyOf = (cid: Uint8Array): string => Buffer.from(cid).toString('latin1')
