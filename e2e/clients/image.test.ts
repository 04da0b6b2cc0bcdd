import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeCertificates } from '../support/certificates.ts'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { findCompose } from '../support/compose.ts'
import { makeDebianBase, nativeModules } from '../support/debian-base.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { requirePeers } from '../support/peers.ts'
import type { Program } from '../support/program.ts'
import { RegistryApi } from '../support/registry-api.ts'

const root = join(import.meta.dirname, '../..')
const minute = 60_000

const scratch = sharedScratch()
const registry = sharedRegistry()
const engine = shared(() => DockerEngine.start(), dockerPeers)
const image = () => `${registry().address}/openregistry/openregistry:test`
const docker = () => engine().docker.with({ timeout: 4 * minute })
const open = ['--env', 'OPEN_REGISTRY_AUTH_ALLOW_OPEN_NETWORK=true']

/** Waits for something that will be so, a minute at most. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + minute
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Not within a minute: ${isSo.toString()}`)
    await delay(100)
  }
}

/** A container of the image that goes with the test. */
class Container implements AsyncDisposable {
  readonly #docker: Program
  readonly #id: string

  private constructor(client: Program, id: string) {
    this.#docker = client
    this.#id = id
  }

  static async start(...options: string[]): Promise<Container> {
    const fixed = ['--detach', '--network', 'none']
    return new Container(docker(), await docker().run('run', ...fixed, ...options, image()))
  }

  /** One that somebody else has started. */
  static running(id: string): Container {
    return new Container(docker(), id)
  }

  /** Asks its registry from within, where alone it can be reached. @returns status and body */
  async get(path: string): Promise<string> {
    return this.#docker.run(...this.#ask(path))
  }

  #ask(path: string): string[] {
    const ask = `fetch('http://127.0.0.1:5000${path}').then(async (r) => console.log(r.status, await r.text()))`
    const script = `exec /opt/openregistry/node_modules/node-linux-*/bin/node -e "${ask}"`
    return ['exec', this.#id, 'sh', '-c', script]
  }

  /** Waits until its registry answers. */
  async ready(): Promise<void> {
    await eventually(async () =>
      (await this.#docker.attempt(...this.#ask('/readyz'))).stdout.startsWith('200 '),
    )
  }

  /** Waits until a property of it has a value. */
  async until(format: string, value: string): Promise<void> {
    await eventually(async () => (await this.inspect(format)) === value)
  }

  async inspect(format: string): Promise<string> {
    return this.#docker.run('inspect', '--format', format, this.#id)
  }

  async logs(): Promise<string> {
    const { stdout, stderr } = await this.#docker.attempt('logs', this.#id)
    return stdout + stderr
  }

  async stop(): Promise<void> {
    await this.#docker.run('stop', this.#id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#docker.attempt('rm', '--force', '--volumes', this.#id)
  }
}

clientTest(
  dockerPeers,
  'build our own image on a base of this system, push it to ourselves, pull it',
  async () => {
    const programs = [process.execPath, ...nativeModules(join(root, 'node_modules/@node-rs'))]
    await docker().run('import', await makeDebianBase(scratch(), programs), 'debian-base:test')
    const base = ['--build-arg', 'BASE=debian-base:test', '--network', 'none']
    await docker().run('build', '--quiet', ...base, '--tag', image(), root)
    await docker().run('push', '--quiet', image())
    await docker().run('rmi', '--force', image(), 'debian-base:test')
    await docker().run('image', 'prune', '--force')

    await docker().run('pull', '--quiet', image())
    const { digest } = await new RegistryApi(registry().url).manifest('openregistry/openregistry', 'test')
    const known = await docker().run('image', 'inspect', '--format', '{{index .RepoDigests 0}}', image())
    expect(known.split('@')[1]).toBe(digest)
  },
)

clientTest(
  dockerPeers,
  'our own image: version, doctor; no start in open mode without the switch',
  async () => {
    const run = ['run', '--rm', '--network', 'none']
    expect(await docker().run(...run, image(), 'version')).toMatch(/^openregistry \d/)
    expect(await docker().run(...run, ...open, image(), 'doctor')).toContain('Ready to serve')
    const refused = await docker().attempt(...run, image())
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('auth.allow_open_network')
  },
)

clientTest(
  dockerPeers,
  'our own image: serves as a user without rights, is healthy, stops cleanly',
  async () => {
    const strict = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true']
    await using container = await Container.start(...open, ...strict, '--health-interval', '1s')
    await container.until('{{.State.Health.Status}}', 'healthy')
    expect(await container.get('/readyz')).toMatch(/^200 /)
    expect(await container.get('/v2/')).toMatch(/^200 /)
    expect(await container.inspect('{{.Config.User}}')).toBe('10001:10001')
    await container.stop()
    expect(await container.inspect('{{.State.ExitCode}}'), await container.logs()).toBe('0')
  },
)

clientTest(dockerPeers, 'our own image: has no development dependency', async () => {
  const list = [
    'run',
    '--rm',
    '--network',
    'none',
    '--entrypoint',
    'ls',
    image(),
    '/opt/openregistry/node_modules',
  ]
  const modules = (await docker().run(...list)).split('\n')
  expect(modules).toContain('commander')
  for (const name of ['vitest', 'typescript', 'prettier', 'knip']) expect(modules).not.toContain(name)
})

clientTest([...dockerPeers, 'openssl'], 'our own image: with users and TLS, is healthy', async () => {
  const { cert, key } = await makeCertificates(scratch(), '192.0.2.1')
  const folder = scratch().folder('settings')
  for (const file of [cert, key]) {
    copyFileSync(file, join(folder, basename(file)))
    chmodSync(join(folder, basename(file)), 0o644)
  }
  const where = '/etc/openregistry'
  const tls = `tls: { cert: ${where}/server.crt, key: ${where}/server.key }`
  const yaml = `http: { ${tls} }\nauth: { users_file: ${where}/users.htpasswd }\n`
  writeFileSync(join(folder, 'users.htpasswd'), '')
  writeFileSync(join(folder, 'openregistry.yaml'), yaml)
  const volume = ['--volume', `${folder}:${where}:ro`]
  await using container = await Container.start(...volume, '--health-interval', '1s')
  await container.until('{{.State.Health.Status}}', 'healthy')
})

test('docker-compose: compose.yaml with our own image', async (context) => {
  requirePeers(context, dockerPeers)
  const program = await findCompose(engine())
  if (program === null) return context.skip('no Compose: neither docker-compose nor the plugin of the client')
  // The image from above under the name that the file has, and no network: this one is not for the world.
  await docker().run('tag', image(), 'openregistry')
  const override = scratch().file('override.yaml', 'services:\n  registry:\n    network_mode: none\n')
  const files = ['--file', join(root, 'compose.yaml'), '--file', override]
  const compose = program.with({ timeout: minute })
  const project = [...files, '--project-name', 'openregistry-test']
  try {
    await compose.run(...project, 'up', '--detach', '--no-build')
    const container = Container.running(await compose.run(...project, 'ps', '--quiet'))
    await container.ready()
    await compose.run(...project, 'stop')
    expect(await container.inspect('{{.State.ExitCode}}'), await container.logs()).toBe('0')
  } finally {
    await compose.attempt(...project, 'down', '--volumes')
  }
})
