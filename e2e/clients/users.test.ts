import { expect } from 'vitest'
import { clientTest, shared, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { Containerd } from '../support/containerd.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout } from '../support/image-layout.ts'
import { pushLayout } from '../support/push-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { startRegistryUnderTest } from '../support/registry.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'
import { Scratch } from '../support/scratch.ts'
import { ann, makeUsersFile } from '../support/users-file.ts'

const scratch = sharedScratch()
const registry = shared(
  async () => startRegistryUnderTest({ usersFile: await makeUsersFile(scratch()) }),
  ['htpasswd'],
)
const engine = shared(() => DockerEngine.start(), dockerPeers)
const plainHttp = '--tls-verify=false'
const credentials = `${ann.name}:${ann.password}`

/** Pushes an image as a user. @returns its reference. */
async function publish(repository: string, visibility: 'public' | 'private'): Promise<string> {
  await pushLayout(registry().url, repository, await makeLayout(scratch(), 'app'), ann)
  await new RegistryApi(registry().url, ann).setVisibility(repository, visibility)
  return `${registry().address}/${repository}:1`
}

clientTest(
  [...dockerPeers, 'htpasswd'],
  'login, push, pull; without login or with a wrong password, no',
  async () => {
    const { docker } = engine()
    const image = `${registry().address}/private/docker:1`
    const login = ['login', '-u', ann.name, '--password-stdin', registry().address]
    await engine().import(await makeRootfs(scratch()), image, greet)
    expect((await docker.attempt('push', '--quiet', image)).code).toBe(1)
    await expect(docker.feed('wrong', ...login)).rejects.toThrow(/unauthorized/i)

    await docker.feed(ann.password, ...login)
    await docker.run('push', '--quiet', image)
    await docker.run('rmi', '--force', image)
    expect(await docker.run('run', '--rm', '--quiet', '--network', 'none', image)).toBe(greeting)

    await docker.run('logout', registry().address)
    await docker.run('rmi', '--force', image)
    expect((await docker.attempt('pull', '--quiet', image)).code).toBe(1)
  },
)

clientTest(['podman', 'busybox', 'htpasswd'], 'login, push, pull; with a wrong password, no', async () => {
  await using tools = new ContainerTools()
  const image = `${registry().address}/private/podman:1`
  const login = ['login', plainHttp, '-u', ann.name, '--password-stdin', registry().address]
  await tools.import(await makeRootfs(scratch()), image, greet)
  await expect(tools.podman.feed('wrong', ...login)).rejects.toThrow(
    /invalid username\/password|unauthorized/i,
  )

  await tools.podman.feed(ann.password, ...login)
  await tools.podman.run('push', '-q', plainHttp, image)
  await tools.podman.run('rmi', '-f', image)
  const said = await tools.podman.run('run', '--rm', '-q', plainHttp, '--network', 'none', image)
  expect(said).toBe(greeting)
})

clientTest(
  ['podman', 'busybox', 'htpasswd'],
  'without login: pulls what is public, nothing else',
  async () => {
    await using tools = new ContainerTools()
    await tools.podman.run('pull', '-q', plainHttp, await publish('public/podman', 'public'))
    const { code, stderr } = await tools.podman.attempt(
      'pull',
      plainHttp,
      await publish('secret/podman', 'private'),
    )
    expect(code).toBe(125)
    expect(stderr).toContain('unauthorized')
  },
)

clientTest(
  ['skopeo', 'busybox', 'htpasswd'],
  'without login: pulls what is public, nothing else',
  async () => {
    await using tools = new ContainerTools()
    const open = await publish('public/skopeo', 'public')
    const closed = `docker://${await publish('secret/skopeo', 'private')}`
    const target = `dir:${tools.scratch.path}/copy`
    await tools.skopeo.run('copy', '-q', '--src-tls-verify=false', `docker://${open}`, target)
    const refused = await tools.skopeo.attempt('inspect', plainHttp, closed)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('unauthorized')
    await tools.skopeo.run('inspect', plainHttp, '--creds', credentials, closed)
    const wrong = await tools.skopeo.attempt('inspect', plainHttp, '--creds', 'ann:wrong', closed)
    expect(wrong.code).not.toBe(0)
  },
)

// Docker is not among these: asked for Basic, it sends nothing without a login, not even for what is public.
clientTest(
  ['containerd', 'ctr', 'htpasswd'],
  'without login: pulls what is public, nothing else',
  async () => {
    await using containerd = await Containerd.start()
    const pull = ['images', 'pull', '--plain-http']
    await containerd.ctr.run(...pull, await publish('public/containerd', 'public'))
    const closed = await publish('secret/containerd', 'private')
    expect((await containerd.ctr.attempt(...pull, closed)).code).toBe(1)
    await containerd.ctr.run(...pull, '--user', credentials, closed)
  },
)

const readers = {
  crane: (image: string) => ['manifest', image],
  oras: (image: string) => ['manifest', 'fetch', '--plain-http', image],
  regctl: (image: string) => [
    ...['--host', `reg=${registry().address},tls=disabled`],
    ...['manifest', 'get', '--format', 'raw-body', image],
  ],
} as const

for (const reader of ['crane', 'oras', 'regctl'] as const) {
  clientTest(
    [reader, 'busybox', 'htpasswd'],
    'without login: pulls what is public, nothing else',
    async () => {
      await using home = new Scratch()
      const client = homedClient(reader, home)
      const open = await publish(`public/${reader}`, 'public')
      expect(await client.run(...readers[reader](open))).toContain('schemaVersion')
      const closed = await publish(`secret/${reader}`, 'private')
      const { code, stderr } = await client.attempt(...readers[reader](closed))
      expect(code).toBe(1)
      expect(stderr).toMatch(/unauthorized|credential/i)
    },
  )
}

clientTest(['oras', 'htpasswd'], 'login, push, pull; without login, no', async () => {
  const oras = homedClient('oras', scratch())
  const reference = `${registry().address}/private/oras:1`
  scratch().file('oras-home/note.txt', 'a note\n')
  const push = ['push', '--plain-http', reference, 'note.txt:text/plain']
  expect((await oras.attempt(...push)).code).toBe(1)
  const login = ['login', '--plain-http', '-u', ann.name, '--password-stdin', registry().address]
  await oras.feed(ann.password, ...login)
  await oras.run(...push)
  await oras.run('pull', '--plain-http', '-o', 'out', reference)
})

clientTest(['regctl', 'htpasswd'], 'login, push, list; without login, no', async () => {
  const regctl = homedClient('regctl', scratch())
  const { address } = registry()
  await regctl.run('registry', 'set', '--tls', 'disabled', '--skip-check', address)
  const put = [
    'artifact',
    'put',
    '--artifact-type',
    'application/vnd.example.note',
    `${address}/private/regctl:1`,
  ]
  await expect(regctl.feed('a note\n', ...put)).rejects.toThrow(/unauthorized/i)
  await regctl.feed(ann.password, 'registry', 'login', '-u', ann.name, '--pass-stdin', address)
  await regctl.feed('a note\n', ...put)
  expect(await regctl.run('tag', 'ls', `${address}/private/regctl`)).toBe('1')
})

clientTest(['helm', 'htpasswd'], 'login, push, pull; without login, no', async () => {
  const helm = homedClient('helm', scratch())
  const { address } = registry()
  await helm.run('create', 'chart')
  await helm.run('package', 'chart')
  const push = ['push', '--plain-http', 'chart-0.1.0.tgz', `oci://${address}/private`]
  expect((await helm.attempt(...push)).code).toBe(1)
  const login = ['registry', 'login', '--plain-http', '-u', ann.name, '--password-stdin', address]
  await helm.feed(ann.password, ...login)
  await helm.run(...push)
  await helm.run('pull', '--plain-http', `oci://${address}/private/chart`, '--version', '0.1.0')
})
