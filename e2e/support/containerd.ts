import { join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { Program } from './program.ts'
import { attempt } from './run.ts'
import { Scratch } from './scratch.ts'
import { Service } from './service.ts'

/** Plugins that want hardware, a network or folders of the system. */
const disabledPlugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.internal.v1.opt',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.devmapper',
]

/** A containerd of our own: another socket, other folders than the system's. */
export class Containerd implements AsyncDisposable {
  readonly scratch: Scratch
  /** `ctr` connected to it. */
  readonly ctr: Program
  readonly #service: Service

  private constructor(scratch: Scratch, ctr: Program, service: Service) {
    this.scratch = scratch
    this.ctr = ctr
    this.#service = service
  }

  static async start(): Promise<Containerd> {
    const scratch = new Scratch()
    const env = cleanEnvironment(scratch.folder('home'))
    const socket = socketOf(scratch)
    const config = scratch.file('containerd.toml', configuration(scratch, socket))
    try {
      const service = await Service.start({
        name: 'containerd',
        command: peerPath('containerd'),
        args: ['--config', config],
        env,
        cwd: scratch.path,
        logFile: join(scratch.path, 'containerd.log'),
        ready: async () => (await attempt(peerPath('ctr'), ['-a', socket, 'version'], { env })).code === 0,
      })
      const ctr = new Program(peerPath('ctr'), { env: { ...env, CONTAINERD_ADDRESS: socket } })
      return new Containerd(scratch, ctr, service)
    } catch (error) {
      await scratch[Symbol.asyncDispose]()
      throw error
    }
  }

  /** The path of its socket. */
  get socket(): string {
    return socketOf(this.scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.stop()
    await this.scratch[Symbol.asyncDispose]()
  }
}

function socketOf(scratch: Scratch): string {
  return join(scratch.path, 'containerd.sock')
}

function configuration(scratch: Scratch, socket: string): string {
  return [
    'version = 2',
    `root = "${scratch.path}/root"`,
    `state = "${scratch.path}/state"`,
    `disabled_plugins = ${JSON.stringify(disabledPlugins)}`,
    '[grpc]',
    `  address = "${socket}"`,
    '',
  ].join('\n')
}
