import { join } from 'node:path'
import { cleanEnvironment } from './environment.ts'
import { peerPath } from './peers.ts'
import { Program } from './program.ts'
import { Scratch } from './scratch.ts'

/**
 * podman, buildah and skopeo with files of their own: images, logins and configuration of the system stay out of it.
 * Chosen so that it works as root on machines of many kinds: no systemd, cgroups v1, v2 or both, no right to raise
 * limits (hence the low ulimits), runc.
 */
export class ContainerTools implements AsyncDisposable {
  readonly scratch = new Scratch()
  readonly #env: Record<string, string>

  constructor() {
    const { scratch } = this
    const folder = scratch.path
    this.#env = cleanEnvironment(scratch.folder('home'), {
      CONTAINERS_CONF: scratch.file('containers.conf', containersConf(folder)),
      CONTAINERS_STORAGE_CONF: scratch.file('storage.conf', storageConf(folder)),
      CONTAINERS_REGISTRIES_CONF: scratch.file('registries.conf', 'unqualified-search-registries = []\n'),
      REGISTRY_AUTH_FILE: scratch.file('auth.json', '{}'),
      TMPDIR: scratch.folder('tmp'),
    })
  }

  get podman(): Program {
    return this.#program('podman')
  }

  get buildah(): Program {
    return this.#program('buildah')
  }

  /** It takes its policy from the system or from here; the system may have none. */
  get skopeo(): Program {
    return this.#program('skopeo')
  }

  /** Replaces `registries.conf`, the file with the switches of every registry. */
  configureRegistries(content: string): void {
    this.scratch.file('registries.conf', `unqualified-search-registries = []\n${content}`)
  }

  /** Makes an image of a tar file with podman. */
  async import(rootfs: string, reference: string, command: readonly string[]): Promise<void> {
    await this.podman.run('import', '-q', '--change', `CMD=${JSON.stringify(command)}`, rootfs, reference)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]()
  }

  #program(name: 'podman' | 'buildah' | 'skopeo'): Program {
    return new Program(peerPath(name), { env: this.#env, cwd: this.scratch.path })
  }
}

function containersConf(folder: string): string {
  return [
    '[containers]',
    'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]',
    '[engine]',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    'runtime = "runc"',
    `tmp_dir = "${join(folder, 'libpod')}"`,
    '',
  ].join('\n')
}

function storageConf(folder: string): string {
  return [
    '[storage]',
    'driver = "overlay"',
    `graphroot = "${join(folder, 'storage')}"`,
    `runroot = "${join(folder, 'run')}"`,
    '',
  ].join('\n')
}
