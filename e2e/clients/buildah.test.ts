import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const tools = shared(() => new ContainerTools())
const plainHttp = '--tls-verify=false'
const peers = ['buildah', 'busybox'] as const

/** An image from nothing but a tar file. */
async function build(image: string, words = greeting, arch = 'amd64'): Promise<void> {
  const { buildah } = tools()
  const container = await buildah.run('from', '--arch', arch, 'scratch')
  await buildah.run('add', '-q', container, await makeRootfs(scratch(), words), '/')
  await buildah.run('config', '--arch', arch, '--cmd', JSON.stringify(greet), container)
  await buildah.run('commit', '-q', '--rm', container, image)
}

clientTest(peers, 'from scratch, push, pull, run', async () => {
  const { buildah } = tools()
  const image = `${registry().address}/me/app:1`
  await build(image)
  await buildah.run('push', '-q', plainHttp, image)
  await buildah.run('rmi', '-f', image)

  const container = await buildah.run('from', '-q', plainHttp, image)
  expect(await buildah.run('run', '--network', 'none', container, '--', ...greet)).toBe(greeting)
  await buildah.run('rm', container)
})

clientTest(peers, 'the same image in the format of Docker', async () => {
  const { buildah } = tools()
  const image = `${registry().address}/me/docker-format:1`
  await build(image)
  await buildah.run('push', '-q', plainHttp, '--format', 'docker', image)
  const { mediaType } = await new RegistryApi(registry().url).manifest('me/docker-format', '1')
  expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
})

clientTest(peers, 'an image for two platforms (index)', async () => {
  const { buildah } = tools()
  const repository = `${registry().address}/me/multi`
  await buildah.run('manifest', 'create', 'multi')
  for (const arch of ['amd64', 'arm64']) {
    await build(`${repository}:${arch}`, `hello from ${arch}`, arch)
    await buildah.run('manifest', 'add', 'multi', `${repository}:${arch}`)
  }
  await buildah.run('manifest', 'push', '-q', '--all', plainHttp, 'multi', `docker://${repository}:1`)

  const index = await new RegistryApi(registry().url).manifest('me/multi', '1')
  expect(index.mediaType).toBe('application/vnd.oci.image.index.v1+json')
  expect(index.body.manifests?.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 'arm64'])
  await buildah.run('rmi', '-f', `${repository}:amd64`, `${repository}:arm64`)
  const container = await buildah.run('from', '-q', plainHttp, '--arch', 'amd64', `${repository}:1`)
  expect(await buildah.run('run', '--network', 'none', container, '--', ...greet)).toBe('hello from amd64')
  await buildah.run('rm', container)
})
