import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Cluster } from '../postgres/cluster.ts'
import { treeMemory } from '../process-tree.ts'
import type { FoundPeer } from './index.ts'
import type { Service, Site } from './peer.ts'
import { killRunning, Running } from './running.ts'

/** Databases that are alive, so that an interrupted bench leaves none behind. */
const clusters = new Set<Cluster>()

/** Ends everything that is still running; for the moment the bench is interrupted. */
export function killAll(): void {
  killRunning()
  for (const cluster of clusters) cluster.kill()
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

/** What a registry stands on: its folder, and its database and the service for its blobs where it needs them. */
class Ground implements AsyncDisposable {
  readonly site: Site
  readonly #stack: AsyncDisposableStack

  private constructor(site: Site, stack: AsyncDisposableStack) {
    this.site = site
    this.#stack = stack
  }

  static async make({ peer, program }: FoundPeer, parent: string): Promise<Ground> {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(parent, `${peer.id}-`))
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    // The database runs as a user of its own.
    await chmod(folder, 0o711)
    const database = peer.needsDatabase ? await startCluster(join(folder, 'database'), stack) : null
    const backend = peer.backend ? await startBackend(peer.backend, join(folder, 'backend'), stack) : null
    return new Ground({ program, port: await freePort(), folder, database, backend }, stack.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

async function startCluster(folder: string, stack: AsyncDisposableStack): Promise<Cluster> {
  const cluster = await Cluster.start(folder, await freePort())
  clusters.add(cluster)
  stack.defer(() => void clusters.delete(cluster))
  return stack.use(cluster)
}

/** @throws Error when it is not installed, or does not start */
async function startBackend(service: Service, folder: string, stack: AsyncDisposableStack): Promise<Site> {
  const found = await service.find()
  if ('missing' in found) throw new Error(found.missing)
  await mkdir(folder)
  const site = { program: found.program, port: await freePort(), folder, database: null, backend: null }
  await service.setUp?.(site)
  stack.use(await Running.start(service, site))
  return site
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
  readonly #running: Running

  private constructor(found: FoundPeer, ground: Ground, running: Running, startSeconds: number) {
    this.found = found
    this.site = ground.site
    this.pid = running.pid
    this.startSeconds = startSeconds
    this.idleMemory = treeMemory(this.pid)
    this.#ground = ground
    this.#running = running
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
    const running = await Running.start(found.peer, ground.site)
    return new Server(found, ground, running, (performance.now() - start) / 1000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]()
    await this.#ground[Symbol.asyncDispose]()
  }
}
