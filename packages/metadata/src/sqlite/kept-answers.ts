/** About how many bytes of answers one generation holds; there are two. */
const generationSize = 12 * 2 ** 20

/** What an answer takes besides its bytes and its key, roughly. */
const overhead = 512

/** What became of the questions whose answers can be kept, since the start. */
export interface KeptTotals {
  /** Answered from memory. */
  readonly hits: number
  /** Answered by the database. */
  readonly misses: number
}

/**
 * Answers of reads, each good for as long as nothing was written to the database by anybody. They are held in two
 * generations: when the young one is full, the old one is forgotten; what is asked for again moves to the young one.
 */
export class KeptAnswers implements KeptTotals {
  hits = 0
  misses = 0
  #version: unknown = null
  #young = new Map<string, Kept>()
  #old = new Map<string, Kept>()
  #weight = 0

  /** Forgets everything unless the database is as it was. @param version changes with everything that is written. */
  begin(version: unknown): void {
    if (version === this.#version) return
    this.#version = version
    this.#young.clear()
    this.#old.clear()
    this.#weight = 0
  }

  /** Undefined when it is not here. */
  get(key: string): unknown {
    const young = this.#young.get(key)
    if (young !== undefined) {
      this.hits++
      return young.answer
    }
    const old = this.#old.get(key)
    if (old === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#add(key, old)
    return old.answer
  }

  /** @param bytes that the answer holds. A large one is not kept: it would drive out many. */
  keep(key: string, answer: unknown, bytes: number): void {
    const weight = bytes + 2 * key.length + overhead
    if (weight <= generationSize / 32) this.#add(key, { answer, weight })
  }

  #add(key: string, kept: Kept): void {
    if (this.#weight + kept.weight > generationSize) {
      this.#old = this.#young
      this.#young = new Map()
      this.#weight = 0
    }
    this.#young.set(key, kept)
    this.#weight += kept.weight
  }
}

interface Kept {
  answer: unknown
  weight: number
}
