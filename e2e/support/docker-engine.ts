import { join } from 'node:path'
import { Containerd } from './containerd.ts'
import { cleanEnvironment } from './environment.ts'
import { peerPath, type PeerName } from './peers.ts'
import { Program } from './program.ts'
import { attempt } from './run.ts'
import type { Scratch } from './scratch.ts'
import { Service } from './service.ts'

/** What a Docker engine of the tests needs. */
export const dockerPeers: readonly [PeerName, ...PeerName[]] = [
  'docker',
  'dockerd',
  'containerd',
  'ctr',
  'busybox',
]

/** Nothing on the network of this machine is touched: containers here have none. */
const noNetwork = [
  '--iptables=false',
  '--ip6tables=false',
  '--ip-forward=false',
  '--ip-masq=false',
  '--bridge=none',
]

/** A Docker engine of our own, beside any other on this machine: its own containerd, socket, folders and login. */
export class DockerEngine implements AsyncDisposable {
  readonly docker: Program
  readonly #containerd: Containerd
  readonly #service: Service

  private constructor(docker: Program, containerd: Containerd, service: Service) {
    this.docker = docker
    this.#containerd = containerd
    this.#service = service
  }

  /**
   * @param configuration the content of `daemon.json`
   * @param within a command that the daemon is started by, for example to give it other mounts
   */
  static async start(
    configuration: Readonly<Record<string, unknown>> = {},
    within: readonly string[] = [],
  ): Promise<DockerEngine> {
    const containerd = await Containerd.start()
    const { scratch } = containerd
    const socket = `unix://${scratch.path}/docker.sock`
    const env = cleanEnvironment(scratch.folder('home'))
    const docker = new Program(peerPath('docker'), {
      env: { ...env, DOCKER_HOST: socket, DOCKER_CONFIG: scratch.folder('login'), DOCKER_BUILDKIT: '0' },
    })
    const [command = '', ...args] = [...within, peerPath('dockerd'), ...daemonArguments(containerd, socket)]
    scratch.file('daemon.json', JSON.stringify(configuration))
    try {
      const service = await Service.start({
        ...{ name: 'dockerd', command, args, env },
        cwd: scratch.path,
        logFile: join(scratch.path, 'dockerd.log'),
        ready: async () => (await docker.attempt('version')).code === 0,
      })
      return new DockerEngine(docker, containerd, service)
    } catch (error) {
      await containerd[Symbol.asyncDispose]()
      throw error
    }
  }

  /** A folder that goes with the engine. */
  get scratch(): Scratch {
    return this.#containerd.scratch
  }

  /** Writes `daemon.json` anew and lets the daemon read it, as an administrator would. */
  async reconfigure(configuration: Readonly<Record<string, unknown>>): Promise<void> {
    const reloads = () => this.#service.log().split('Reloaded configuration').length
    const before = reloads()
    this.scratch.file('daemon.json', JSON.stringify(configuration))
    this.#service.signal('SIGHUP')
    for (let round = 0; reloads() === before && round < 200; round++) {
      await attempt('sleep', ['0.02'], { env: cleanEnvironment(this.scratch.path) })
    }
    if (reloads() === before) throw new Error('dockerd has not read its configuration again.')
  }

  /** Makes an image of a tar file. */
  async import(rootfs: string, reference: string, command: readonly string[], ...options: string[]) {
    const change = `CMD ${JSON.stringify(command)}`
    await this.docker.run('import', ...options, '--change', change, rootfs, reference)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.stop()
    await this.#containerd[Symbol.asyncDispose]()
  }
}

function daemonArguments({ scratch, socket }: Containerd, host: string): string[] {
  return [
    ...['--config-file', join(scratch.path, 'daemon.json'), '--pidfile', join(scratch.path, 'docker.pid')],
    ...['--data-root', join(scratch.path, 'docker'), '--exec-root', join(scratch.path, 'exec')],
    ...['--containerd', socket, '--host', host],
    ...noNetwork,
  ]
}
