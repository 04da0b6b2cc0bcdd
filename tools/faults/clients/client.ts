import { setTimeout as delay } from 'node:timers/promises'
import type { HttpRequest, Random } from '@openregistry/testkit'
import type { Digest } from '@openregistry/oci'
import type { FaultTimes } from '../fault-times.ts'
import type { Change } from '../model/change.ts'
import type { Model } from '../model/model.ts'
import type { Register } from '../model/register.ts'
import type { RepositoryModel } from '../model/repository-model.ts'
import type { Span } from '../model/tick.ts'
import type { Report } from '../report.ts'
import type { Answer, Caller } from './caller.ts'
import type { KnownBlob } from './contents.ts'

/** What all clients of a run share. */
export interface World {
  model: Model
  caller: Caller
  report: Report
  faultTimes: FaultTimes
  blobs: readonly [KnownBlob, ...KnownBlob[]]
}

/** One client of the registry: it decides by its own random source, asks, and tells the model what it was answered. */
export class Client {
  readonly world: World
  readonly random: Random
  /** Whether nothing else is under way, so that what is read is what is. */
  readonly #alone: boolean

  constructor(world: World, random: Random, { alone = false } = {}) {
    this.world = world
    this.random = random
    this.#alone = alone
  }

  /** One of the repositories. */
  repository(): RepositoryModel {
    const all = [...this.world.model.repositories.values()]
    return all[this.random.integer(0, all.length - 1)] ?? this.world.model.repository('')
  }

  /** One of the blobs; small ones more often. */
  blob(): KnownBlob {
    const { blobs } = this.world
    const last = this.random.pick([blobs.length - 1, blobs.length - 4, blobs.length - 4])
    return blobs[this.random.integer(0, last)] ?? blobs[0]
  }

  /** Whether something happens that happens in one of so many cases. */
  oneIn(cases: number): boolean {
    return this.random.integer(1, cases) === 1
  }

  /** Sends a request to any replica; see `Caller.send`. */
  async call(request: HttpRequest): Promise<Answer | null> {
    const answer = await this.world.caller.send(request, this.random.integer(0, 1_000_000))
    // Whatever is broken just now, a client that asks again and again does not help.
    if (answer === null) await delay(20)
    return answer
  }

  /** Breaks the connection after a part of the body; see `Caller.interrupt`. */
  async interrupt(request: Omit<HttpRequest, 'body' | 'framing'>, part: Uint8Array): Promise<void> {
    await this.world.caller.interrupt(request, part, this.random.integer(0, 1_000_000))
  }

  /** The change was answered with success. */
  acknowledge(change: Change, { span }: Answer): void {
    change.acknowledged(span.until)
    this.world.report.counts.acknowledged++
  }

  violation(text: string, answer?: Answer): void {
    const said = answer === undefined ? '' : `: ${answer.status} ${answer.text().slice(0, 300)}`
    this.world.report.violation(text + said)
  }

  /** A read, or a step that can only succeed with it, saw a blob, or saw that it is not there. */
  sawBlob(repository: RepositoryModel, digest: Digest, here: boolean, span: Span): void {
    const link = repository.link(digest)
    if (link.observe(here, span, repository.isNeeded(digest, span))) return this.#pin(link.readable, here)
    this.#surprise(`blob ${digest} in ${repository.name}`, here, span, link.readable.history())
  }

  /** A read saw a manifest, or saw that it is not there. */
  sawManifest(repository: RepositoryModel, digest: Digest, here: boolean, span: Span): void {
    const live = repository.manifests.get(digest)?.live
    if (repository.observeManifest(digest, here, span)) return this.#pin(live, here)
    this.#surprise(`manifest ${digest} in ${repository.name}`, here, span, live?.history() ?? 'never pushed')
  }

  /** A read saw where a tag points, or that it is not there. */
  sawTag(repository: RepositoryModel, tag: string, digest: Digest | null, span: Span): void {
    const register = repository.tag(tag)
    if (register.observe(digest, span)) return this.#pin(register, digest)
    this.#surprise(`tag ${repository.name}:${tag}`, digest, span, register.history())
  }

  #pin<V>(register: Register<V> | undefined, value: V): void {
    if (this.#alone) register?.pin(value)
  }

  #surprise(what: string, seen: unknown, { from, until }: Span, history: string): void {
    this.violation(`${what} was ${String(seen)} at ${from.toFixed(3)}–${until.toFixed(3)}; known: ${history}`)
  }
}
