import type { RepositoryModel } from '../model/repository-model.ts'
import { tick } from '../model/tick.ts'
import type { Answer } from './caller.ts'
import type { Client } from './client.ts'
import type { KnownBlob } from './contents.ts'

/** Requests for one step of an upload before the client gives up; a fault is over long before. */
const attempts = 400

/**
 * One upload session and what its client knows of it. What was acknowledged must stay; a chunk whose answer was lost may
 * have been taken, wholly or in part, and may still be.
 */
export class Upload {
  readonly #client: Client
  readonly #repository: RepositoryModel
  readonly #blob: KnownBlob
  readonly #location: string
  readonly #start: number
  /** Bytes that are acknowledged. */
  #offset = 0
  /** As far as chunks may have come whose fate is open. */
  #ceiling = 0
  /** Whether the session may have ended by a request whose fate is open. */
  #mayHaveEnded = false
  #lost = false

  private constructor(
    client: Client,
    repository: RepositoryModel,
    blob: KnownBlob,
    begun: { start: number; location: string },
  ) {
    this.#client = client
    this.#repository = repository
    this.#blob = blob
    this.#start = begun.start
    this.#location = begun.location
  }

  /** Begins an upload; null when nobody knows whether it began. */
  static async begin(client: Client, repository: RepositoryModel, blob: KnownBlob): Promise<Upload | null> {
    const start = tick()
    const answer = await client.call({ method: 'POST', path: `/v2/${repository.name}/blobs/uploads/` })
    if (answer === null) return null
    if (answer.status !== 202) client.violation(`an upload to ${repository.name} could not begin`, answer)
    return new Upload(client, repository, blob, { start, location: answer.header('location') ?? '' })
  }

  get offset(): number {
    return this.#offset
  }

  /** Sends everything up to `end` in one chunk, and what was not taken again. False when the session is gone. */
  async sendTo(end: number): Promise<boolean> {
    for (let attempt = 0; attempt < attempts && !this.#lost; attempt++) {
      if (this.#offset >= end) return true
      this.#judgeChunk(await this.#patch(this.#offset, end), end)
    }
    return false
  }

  /** Sends a chunk that begins elsewhere than the session stands; it must be refused and change nothing. */
  async sendElsewhere(): Promise<void> {
    if (this.#ceiling > this.#offset) return
    const start = this.#offset + 3
    const headers = { 'content-range': `${start}-${start + 9}` }
    const answer = await this.#client.call({ ...this.#request('PATCH'), headers, body: new Uint8Array(10) })
    if (answer === null || this.#isLost(answer) || answer.status === 416) return
    this.#client.violation('a chunk at a wrong offset was not refused', answer)
  }

  /** Sends the same chunk twice at the same time: one of the two is taken. */
  async race(end: number): Promise<void> {
    const start = this.#offset
    const answers = await Promise.all([this.#patch(start, end), this.#patch(start, end)])
    const taken = answers.filter((answer) => answer?.status === 202).length
    if (taken > 1) this.#client.violation(`the bytes ${start}–${end} were taken twice: ${this.#location}`)
    const decided = answers.every((answer) => answer !== null) && !this.#lost
    if (decided && taken === 0 && !answers.some((answer) => answer !== null && this.#isLost(answer)))
      this.#client.violation(`of two chunks at ${start} none was taken: ${this.#location}`)
    if (taken > 0) this.#offset = Math.max(this.#offset, end)
    else this.#ceiling = Math.max(this.#ceiling, end)
  }

  /** Breaks the connection in the middle of a chunk. What arrived may be kept. */
  async interrupt(end: number): Promise<void> {
    const size = end - this.#offset
    const sent = this.#client.random.integer(0, size)
    const headers = {
      'content-range': `${this.#offset}-${end - 1}`,
      'content-length': String(size),
    }
    this.#ceiling = Math.max(this.#ceiling, this.#offset + sent)
    const body = this.#blob.bytes.subarray(this.#offset, this.#offset + sent)
    await this.#client.interrupt({ ...this.#request('PATCH'), headers }, body)
    await this.#ask()
  }

  /** Closes the upload with the rest of the bytes. Null when nobody knows whether the blob is there. */
  async finish(): Promise<boolean | null> {
    for (let attempt = 0; attempt < attempts && !this.#lost; attempt++) {
      const change = this.#repository.linkBlob(this.#blob.digest)
      const answer = await this.#close()
      if (answer === null) {
        this.#mayHaveEnded = true
        this.#ceiling = this.#blob.bytes.length
        await this.#ask()
      } else if (answer.status === 201) {
        this.#client.acknowledge(change, answer)
        this.#checkIdentity(answer)
        return true
      } else {
        change.refused()
        if (this.#isLost(answer)) return this.#mayHaveEnded ? null : false
        if (!this.#judgeRefusal(answer)) return false
      }
    }
    return null
  }

  /** Closes the upload while another request adds bytes to it: they cannot both succeed. */
  async raceEnd(): Promise<boolean | null> {
    const { digest, bytes } = this.#blob
    const change = this.#repository.linkBlob(digest)
    const headers = { 'content-range': `${bytes.length}-${bytes.length + 9}` }
    const addition = { ...this.#request('PATCH'), headers, body: new Uint8Array(10) }
    const [closed, added] = await Promise.all([this.#close(), this.#client.call(addition)])
    this.#mayHaveEnded = true
    if (closed?.status === 201) {
      this.#client.acknowledge(change, closed)
      if (added?.status === 202)
        this.#client.violation(`bytes were taken after the end of an upload: ${this.#location}`, added)
      return true
    }
    if (closed === null) return null
    change.refused()
    if (![400, 404, 416].includes(closed.status)) this.#client.violation('an upload was closed oddly', closed)
    await this.cancel()
    return false
  }

  /** Gives the upload up. */
  async cancel(): Promise<void> {
    const answer = await this.#client.call(this.#request('DELETE'))
    this.#mayHaveEnded = true
    if (answer === null || this.#isLost(answer)) return
    if (answer.status !== 204) return this.#client.violation('an upload could not be cancelled', answer)
    this.#client.world.report.counts.acknowledged++
    const after = await this.#client.call(this.#request('GET'))
    if (after !== null && after.status !== 404) this.#client.violation('a cancelled upload goes on', after)
  }

  /** Closes the upload under a digest that its bytes do not have: it must be refused, and ends the session. */
  async finishWrongly(digest: string): Promise<void> {
    const path = `${this.#location}?digest=${digest}`
    const answer = await this.#client.call({ method: 'PUT', path })
    if (answer === null || answer.status === 400 || this.#isLost(answer)) return
    this.#client.violation('content under a wrong digest was not refused', answer)
  }

  /** Asks where the session stands. */
  async #ask(): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = await this.#client.call(this.#request('GET'))
      if (answer === null) continue
      if (!this.#isLost(answer)) this.#stand(answer)
      return
    }
  }

  #judgeChunk(answer: Answer | null, end: number): void {
    if (answer?.status === 202) {
      this.#offset = end
      if (offsetOf(answer) !== end) this.#client.violation(`a chunk up to ${end} was taken otherwise`, answer)
    } else if (answer === null) {
      this.#ceiling = Math.max(this.#ceiling, end)
    } else if (!this.#isLost(answer)) {
      this.#judgeRefusal(answer)
    }
  }

  /** A refusal is right when the session stands elsewhere, as far as an earlier request whose answer was lost brought it. */
  #judgeRefusal(answer: Answer): boolean {
    if (answer.status === 416) return this.#stand(answer)
    // While the backend gives wrong bytes, joined parts are not what the client sent.
    if (answer.status === 400 && this.#client.world.faultTimes.overlap(answer.span)) this.#lost = true
    else this.#client.violation(`an upload was refused: ${this.#location}`, answer)
    return false
  }

  #stand(answer: Answer): boolean {
    const offset = offsetOf(answer)
    const known = offset >= this.#offset && offset <= Math.max(this.#offset, this.#ceiling)
    if (!known) {
      this.#client.violation(
        `${this.#location} stands at ${offset}, acknowledged are ${this.#offset}, at most ${this.#ceiling} were sent`,
        answer,
      )
    }
    const moved = offset !== this.#offset
    this.#offset = offset
    return known && (moved || answer.status !== 416)
  }

  /** Whether the answer says that there is no such session; then it must have had a reason to end. */
  #isLost(answer: Answer): boolean {
    if (answer.status !== 404) return false
    this.#lost = true
    if (!this.#mayHaveEnded && !this.#repository.mayBeDeletedSince(this.#start))
      this.#client.violation(`an upload is gone: ${this.#location}`, answer)
    return true
  }

  #checkIdentity(answer: Answer): void {
    const { digest, cid } = this.#blob
    if (answer.header('docker-content-digest') === digest && answer.header('openregistry-cid') === cid) return
    this.#client.violation(`the blob ${digest} was taken under another name`, answer)
  }

  #patch(start: number, end: number): Promise<Answer | null> {
    const headers = { 'content-range': `${start}-${end - 1}` }
    const body = this.#blob.bytes.subarray(start, end)
    return this.#client.call({ ...this.#request('PATCH'), headers, body })
  }

  #close(): Promise<Answer | null> {
    const { bytes, digest } = this.#blob
    const path = `${this.#location}?digest=${digest}`
    if (this.#offset === bytes.length && bytes.length > 0) return this.#client.call({ method: 'PUT', path })
    const body = bytes.subarray(this.#offset)
    const headers = body.length === 0 ? {} : { 'content-range': `${this.#offset}-${bytes.length - 1}` }
    return this.#client.call({ method: 'PUT', path, headers, body })
  }

  #request(method: string): { method: string; path: string } {
    return { method, path: this.#location }
  }
}

/** Where the session stands by the `Range` header. `0-0` is no byte: clients here never send a single one. */
function offsetOf(answer: Answer): number {
  const last = Number(/^0-([0-9]+)$/.exec(answer.header('range') ?? '')?.[1] ?? Number.NaN)
  return last === 0 ? 0 : last + 1
}
