import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Volume, type PostgresCluster, type Random } from '@openregistry/testkit'
import { RunFailed, type Report } from '../report.ts'
import { folderPlace, type BlobPlace } from './blob-place.ts'
import { BucketUnderTest } from './bucket.ts'
import { cutPower } from './cut-power.ts'
import type { Database } from './database.ts'
import { IpfsClusterUnderTest } from './ipfs-cluster.ts'
import { KuboUnderTest } from './kubo.ts'
import type { ProcessOptions, RegistryProcess, Serving } from './registry-process.ts'
import { Replica } from './replica.ts'
import { postgresDatabase } from './postgres.ts'
import { sqliteDatabase } from './sqlite.ts'
import { Supervised } from './supervised.ts'

/** In which form the registry runs. */
export type Shape = 'embedded' | 's3' | 'kubo' | 'cluster' | 'replicas' | 'stack' | 'supervisor'

export const allShapes: readonly Shape[] = [
  ...(['embedded', 'replicas', 'supervisor', 's3', 'kubo', 'cluster', 'stack'] as const),
]

/** Whether a shape stands on PostgreSQL. */
export function needsPostgres(shape: Shape): boolean {
  return shape === 'replicas' || shape === 'stack' || shape === 'supervisor'
}

/** Whether it has a Kubo node. */
export function needsKubo(shape: Shape): boolean {
  return shape === 'kubo' || shape === 'cluster' || shape === 'stack'
}

const replicas = ['replica-1', 'replica-2', 'replica-3']

const alone = ['registry']

const names = { embedded: alone, s3: alone, kubo: alone, cluster: alone, replicas, stack: replicas }

/** Where blobs are that do not lie in a folder. */
interface Service {
  bucket: BucketUnderTest | null
  kubo: KuboUnderTest | null
  ipfsCluster: IpfsClusterUnderTest | null
}

/** How a deployment is made. */
export interface DeploymentOptions {
  shape: Shape
  /** For the shapes on PostgreSQL. */
  cluster: PostgresCluster | null
  folder: string
  report: Report
  /** Further configuration, as environment variables. */
  env: Readonly<Record<string, string>>
  /** Milliseconds by which the clocks of replicas are wrong, in turn. */
  skews: readonly number[]
}

/** The registry under test: one process or several on one database and one place for blobs, behind a fair balancer. */
export class Deployment implements AsyncDisposable {
  readonly replicas: readonly RegistryProcess[]
  readonly database: Database
  readonly volumes: { readonly data: Volume; readonly blobs: Volume }
  /** The folder of the disk driver. */
  readonly blobFolder: string
  /** Where blobs are in the shape `s3`, else null. */
  readonly bucket: BucketUnderTest | null
  /** Where blobs are in the shapes `kubo` and `stack`, else null. */
  readonly kubo: KuboUnderTest | null
  /** Where blobs are in the shape `cluster`, else null. */
  readonly ipfsCluster: IpfsClusterUnderTest | null
  readonly #journal: string
  readonly #report: Report
  /** For questions that the replicas do not take. */
  readonly #janitor: Replica
  #changed = Promise.withResolvers<void>()

  private constructor(
    options: DeploymentOptions,
    database: Database,
    volumes: { data: Volume; blobs: Volume },
    { bucket, kubo, ipfsCluster }: Service,
  ) {
    const { folder, report } = options
    this.bucket = bucket
    this.kubo = kubo
    this.ipfsCluster = ipfsCluster
    this.database = database
    this.#report = report
    this.volumes = volumes
    this.blobFolder = join(volumes.blobs.path, 'objects')
    this.#journal = join(folder, 'files.journal')
    const env = {
      ...database.env,
      OPEN_REGISTRY_DATA_DIR: volumes.data.path,
      // Replicas on Kubo share no folder.
      ...(options.shape === 'stack' ? {} : { OPEN_REGISTRY_DFS_DISK_PATH: this.blobFolder }),
      OPEN_REGISTRY_HTTP_PORT: '0',
      OPEN_REGISTRY_HTTP_HOST: '127.0.0.1',
      OPEN_REGISTRY_LOG_LEVEL: 'warn',
      FAULT_HARNESS_JOURNAL: this.#journal,
      FAULT_HARNESS_GRAVEYARD: join(volumes.blobs.path, 'graveyard'),
      UV_THREADPOOL_SIZE: '8',
      ...bucket?.env,
      ...kubo?.env,
      ...ipfsCluster?.env,
      ...options.env,
    }
    const optionsOf = (name: string, index: number): ProcessOptions => {
      const own = {
        FAULT_HARNESS_CLOCK: String(options.skews[index] ?? 0),
        ...(options.shape === 'stack' ? apart(volumes.data.path, name) : {}),
      }
      return { name, env: { ...env, ...own }, cwd: folder, log: join(folder, `${name}.log`), report }
    }
    this.#janitor = new Replica(optionsOf('janitor', 0))
    this.replicas =
      options.shape === 'supervisor'
        ? [new Supervised(optionsOf('supervisor', 0))]
        : names[options.shape].map((name, index) => new Replica(optionsOf(name, index)))
  }

  /** Makes everything that the registry stands on; no process runs yet. */
  static async open(options: DeploymentOptions): Promise<Deployment> {
    const { folder } = options
    const data = await Volume.open(join(folder, 'data'))
    const blobs = await Volume.open(join(folder, 'blobs'))
    await mkdir(join(blobs.path, 'graveyard'))
    const { cluster, shape } = options
    const database = needsPostgres(shape)
      ? await postgresDatabase(requireCluster(cluster))
      : sqliteDatabase(data)
    const service: Service = {
      bucket: shape === 's3' ? await BucketUnderTest.open() : null,
      kubo: shape === 'kubo' || shape === 'stack' ? await KuboUnderTest.open() : null,
      ipfsCluster: shape === 'cluster' ? await IpfsClusterUnderTest.open() : null,
    }
    return new Deployment(options, database, { data, blobs }, service)
  }

  /** Where objects are. */
  get blobs(): BlobPlace {
    const service = this.bucket ?? this.kubo ?? this.ipfsCluster
    return service?.place ?? folderPlace(this.blobFolder)
  }

  /** Starts whatever does not run. */
  async start(): Promise<void> {
    await this.janitor()
    await Promise.all(this.replicas.filter(({ isUp }) => !isUp).map((replica) => this.restart(replica)))
  }

  /** Starts one that does not run. */
  async restart(replica: RegistryProcess): Promise<void> {
    await replica.start()
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** A process that does chores: one of the replicas, or one beside them. */
  async janitor(): Promise<Replica> {
    const [replica] = this.replicas
    if (replica instanceof Replica) return replica
    if (!this.#janitor.isUp) await this.#janitor.start()
    return this.#janitor
  }

  /** Any replica that takes requests; waits until there is one. @throws RunFailed */
  async replica(choice: number): Promise<Serving> {
    for (;;) {
      const up = this.replicas.filter(({ isUp }) => isUp)
      const chosen = up[choice % Math.max(1, up.length)]
      if (chosen !== undefined) return chosen
      if (this.#report.failed) throw new RunFailed('No replica runs any more.')
      await Promise.race([this.#changed.promise, this.#report.failure])
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.replicas, this.#janitor].map((replica) => replica.stop()))
  }

  /** The machine with the blobs loses its power, and all replicas with it. @returns how many files that changed. */
  async cutPower(random: Random): Promise<number> {
    await Promise.all([...this.replicas, this.#janitor].map((replica) => replica.kill()))
    return cutPower(this.#journal, random)
  }

  /** Copies what the volumes hold to a folder that stays. */
  async keep(folder: string): Promise<void> {
    await Promise.all([...this.replicas, this.#janitor].map((replica) => replica.kill()))
    await mkdir(folder, { recursive: true })
    await this.database.keep(folder)
    await cp(this.volumes.data.path, join(folder, 'data'), { recursive: true })
    await cp(this.volumes.blobs.path, join(folder, 'blobs'), { recursive: true })
    const kept = this.bucket?.server.folder ?? (this.kubo ?? this.ipfsCluster)?.node.folder ?? null
    if (kept !== null) await cp(kept, join(folder, 'service'), { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.replicas, this.#janitor].map((replica) => replica.kill()))
    await this.database[Symbol.asyncDispose]()
    await this.bucket?.[Symbol.asyncDispose]()
    await this.kubo?.[Symbol.asyncDispose]()
    await this.ipfsCluster?.[Symbol.asyncDispose]()
    await this.volumes.blobs[Symbol.asyncDispose]()
    await this.volumes.data[Symbol.asyncDispose]()
  }
}

function requireCluster(cluster: PostgresCluster | null): PostgresCluster {
  if (cluster === null) throw new Error('This shape needs PostgreSQL.')
  return cluster
}

/** Replicas that have no folder in common, but for the secret that they share. */
function apart(folder: string, name: string): Record<string, string> {
  return {
    OPEN_REGISTRY_DATA_DIR: join(folder, name),
    OPEN_REGISTRY_KEYS_FILE: join(folder, 'keys.json'),
  }
}
