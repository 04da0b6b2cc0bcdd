import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../free-port.ts'
import { Daemon } from './daemon.ts'
import { ipfsPeerPath } from './find-ipfs-peer.ts'
import type { KuboNode } from './kubo-node.ts'

const run = promisify(execFile)

/** How a peer is started. */
export interface IpfsClusterOptions {
  /** User and password that its API asks for. */
  credentials?: Readonly<Record<string, string>>
  /** A peer whose cluster it joins. */
  joins?: IpfsClusterPeer
}

/**
 * A real peer of an IPFS Cluster beside a Kubo node, in a temporary folder and on free ports of 127.0.0.1. `await using`
 * ends it; the node stays.
 */
export class IpfsClusterPeer implements AsyncDisposable {
  /** Of its REST API. */
  readonly apiUrl: string
  readonly #program: string
  readonly #folder: string
  #daemon: Daemon | null = null

  private constructor(program: string, folder: string, apiPort: number) {
    this.#program = program
    this.#folder = folder
    this.apiUrl = `http://127.0.0.1:${apiPort}`
  }

  /**
   * Makes a peer and starts it.
   * @param node where the RPC API of its node is.
   * @throws Error when IPFS Cluster is not installed; see `requireIpfsPeer`.
   */
  static async start(
    node: Pick<KuboNode, 'apiUrl'>,
    options: IpfsClusterOptions = {},
  ): Promise<IpfsClusterPeer> {
    const program = ipfsPeerPath('ipfs-cluster')
    const folder = await mkdtemp(join(tmpdir(), 'openregistry-cluster-'))
    try {
      const [api, proxy, pinning, swarm] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
      const peer = new IpfsClusterPeer(program, folder, api)
      // With the datastore that it would choose a peer forgets in a crash what it has answered for.
      const words = ['init', '--consensus', 'crdt', '--datastore', 'leveldb']
      await run(program, words, { env: peer.#environment(), cwd: folder })
      const nodeAddress = `/ip4/127.0.0.1/tcp/${new URL(node.apiUrl).port}`
      await peer.#configure((service) => {
        const { cluster, api: apis, ipfs_connector: connector } = service
        cluster.peername = `peer-${swarm}`
        cluster.listen_multiaddress = [`/ip4/127.0.0.1/tcp/${swarm}`]
        cluster.mdns_interval = '0s'
        apis.restapi.http_listen_multiaddress = `/ip4/127.0.0.1/tcp/${api}`
        apis.restapi.basic_auth_credentials = options.credentials ?? null
        apis.ipfsproxy.listen_multiaddress = `/ip4/127.0.0.1/tcp/${proxy}`
        apis.ipfsproxy.node_multiaddress = nodeAddress
        apis.pinsvcapi.http_listen_multiaddress = `/ip4/127.0.0.1/tcp/${pinning}`
        connector.ipfshttp.node_multiaddress = nodeAddress
      })
      if (options.joins !== undefined) await peer.#join(options.joins)
      await peer.start()
      return peer
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Starts it again after {@link stop}, at the same address; resolves once it is ready. */
  async start(): Promise<void> {
    this.#daemon = await Daemon.start(this.#program, ['daemon'], {
      ready: 'IPFS Cluster is READY',
      cwd: this.#folder,
      env: this.#environment(),
    })
  }

  /** Ends it, `SIGKILL` as a crash does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = null
    await daemon?.stop(signal)
  }

  /** Resolves once it knows of so many peers, itself included, that objects can be given to. */
  async untilPeers(count: number): Promise<void> {
    for (;;) {
      const answer = await fetch(`${this.apiUrl}/monitor/metrics/freespace`)
      const metrics = (await answer.json()) as { valid: boolean }[] | null
      if ((metrics ?? []).filter(({ valid }) => valid).length >= count) return
      await delay(100)
    }
  }

  async #join(other: IpfsClusterPeer): Promise<void> {
    const { cluster } = await other.#service()
    const { id } = JSON.parse(await readFile(join(other.#folder, 'identity.json'), 'utf8')) as { id: string }
    await this.#configure((service) => {
      service.cluster.secret = cluster.secret
      service.cluster.peer_addresses = cluster.listen_multiaddress.map((address) => `${address}/p2p/${id}`)
    })
  }

  async #service(): Promise<ServiceFile> {
    return JSON.parse(await readFile(join(this.#folder, 'service.json'), 'utf8')) as ServiceFile
  }

  async #configure(change: (service: ServiceFile) => void): Promise<void> {
    const service = await this.#service()
    change(service)
    await writeFile(join(this.#folder, 'service.json'), JSON.stringify(service))
  }

  #environment(): Record<string, string> {
    return { IPFS_CLUSTER_PATH: this.#folder, HOME: this.#folder }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** What is changed of the configuration that `init` writes. */
interface ServiceFile {
  cluster: {
    secret: string
    peername: string
    listen_multiaddress: string[]
    peer_addresses: string[]
    mdns_interval: string
  }
  api: {
    restapi: { http_listen_multiaddress: string; basic_auth_credentials: object | null }
    ipfsproxy: { listen_multiaddress: string; node_multiaddress: string }
    pinsvcapi: { http_listen_multiaddress: string }
  }
  ipfs_connector: { ipfshttp: { node_multiaddress: string } }
}
