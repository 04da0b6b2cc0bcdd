import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster } from '../postgres/cluster.ts'
import { treeMemory } from '../process-tree.ts'
import type { FoundPeer } from './index.ts'
import { launch, untilAnswer } from './launch.ts'
import type { Site } from './peer.ts'

/** Some registries read all they have before they answer. */
const startLimitMilliseconds = 120_000
const stopLimitMilliseconds = 20_000

/** Process groups and databases that are alive, so that an interrupted bench leaves none behind. */
const alive = new Set<number>()
const clusters = new Set<Cluster>()

/** Ends everything that is still running; for the moment the bench is interrupted. */
export function killAll(): void {
  for (const pid of alive) killGroup(pid)
  for (const cluster of clusters) cluster.kill()
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

/** Fills a registry before it is started for the first time. */
export type Seeding = (site: Site) => Promise<void>

/** What a registry stands on: its folder, and its database where it needs one. */
class Ground implements AsyncDisposable {
  readonly site: Site
  readonly cluster: Cluster | null

  private constructor(site: Site, cluster: Cluster | null) {
    this.site = site
    this.cluster = cluster
  }

  static async make({ peer, program }: FoundPeer, parent: string): Promise<Ground> {
    const folder = await mkdtemp(join(parent, `${peer.id}-`))
    // The database runs as a user of its own.
    await chmod(folder, 0o711)
    const cluster = peer.needsDatabase
      ? await Cluster.start(join(folder, 'database'), await freePort())
      : null
    if (cluster !== null) clusters.add(cluster)
    return new Ground({ program, port: await freePort(), folder, database: cluster }, cluster)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.cluster !== null) {
      await this.cluster[Symbol.asyncDispose]()
      clusters.delete(this.cluster)
    }
    await rm(this.site.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A registry that answers, with its data in a folder of its own; disposing stops it and deletes the folder. */
export class Server implements AsyncDisposable {
  readonly found: FoundPeer
  readonly site: Site
  /** Root of its process tree. */
  readonly pid: number
  /** From the start of the process to the first answer. */
  readonly startSeconds: number
  /** Bytes of private and shared memory of the tree at the first answer. */
  readonly idleMemory: number
  readonly #ground: Ground
  readonly #child: ChildProcess

  private constructor(found: FoundPeer, ground: Ground, child: ChildProcess, startSeconds: number) {
    this.found = found
    this.site = ground.site
    this.pid = child.pid ?? 0
    this.startSeconds = startSeconds
    this.idleMemory = treeMemory(this.pid)
    this.#ground = ground
    this.#child = child
  }

  get port(): number {
    return this.site.port
  }

  /** Root of the process tree of its database server, or null. */
  get databasePid(): number | null {
    return this.site.database?.pid ?? null
  }

  /**
   * Starts a registry on a free port.
   *
   * @param parent folder on the disk that is to be measured
   * @param seeding fills it before
   * @throws Error with the registry's own words when it does not answer in time
   */
  static async start(found: FoundPeer, parent: string, seeding?: Seeding): Promise<Server> {
    const ground = await Ground.make(found, parent)
    try {
      await found.peer.setUp?.(ground.site)
      await seeding?.(ground.site)
      return await Server.#startOn(found, ground)
    } catch (error) {
      await ground[Symbol.asyncDispose]()
      throw error
    }
  }

  static async #startOn(found: FoundPeer, ground: Ground): Promise<Server> {
    const start = performance.now()
    const child = await launch(found.peer, ground.site)
    if (child.pid !== undefined) alive.add(child.pid)
    try {
      await untilAnswer(child, ground.site, startLimitMilliseconds)
    } catch (error) {
      await new Server(found, ground, child, NaN).#stop()
      throw error
    }
    return new Server(found, ground, child, (performance.now() - start) / 1000)
  }

  async #stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await Promise.race([exited, delay(stopLimitMilliseconds, undefined, { ref: false })])
    }
    killGroup(this.pid)
    alive.delete(this.pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
    await this.#ground[Symbol.asyncDispose]()
  }
}
