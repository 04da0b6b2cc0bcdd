import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const tools = shared(() => new ContainerTools())
const plainHttp = '--tls-verify=false'
const peers = ['podman', 'busybox'] as const

clientTest(peers, 'push, pull, run', async () => {
  const { podman } = tools()
  const image = `${registry().address}/me/app:1`
  await tools().import(await makeRootfs(scratch()), image, greet)
  await podman.run('push', '-q', plainHttp, image)
  await podman.run('rmi', '-f', image)

  await podman.run('pull', '-q', plainHttp, image)
  expect(await podman.run('run', '--rm', '--network', 'none', image)).toBe(greeting)
  const { mediaType } = await new RegistryApi(registry().url).manifest('me/app', '1')
  expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json')
})

clientTest(peers, 'build on an image of the registry, run the result from there', async () => {
  const { podman } = tools()
  const base = `${registry().address}/me/base:1`
  const built = `${registry().address}/me/built:1`
  await tools().import(await makeRootfs(scratch()), base, greet)
  await podman.run('push', '-q', plainHttp, base)
  await podman.run('rmi', '-f', base)

  const context = scratch().folder('build')
  writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nRUN /bin/echo built >> /etc/greeting\n`)
  await podman.run('build', '-q', plainHttp, '--network', 'none', '-t', built, context)
  await podman.run('push', '-q', plainHttp, built)
  await podman.run('rmi', '-f', built, base)
  const said = await podman.run('run', '--rm', '-q', plainHttp, '--network', 'none', built)
  expect(said).toBe(`${greeting}\nbuilt`)
})

clientTest(peers, 'an image for two platforms (index)', async () => {
  const { podman } = tools()
  const repository = `${registry().address}/me/multi`
  await podman.run('manifest', 'create', 'multi')
  for (const arch of ['amd64', 'arm64']) {
    const rootfs = await makeRootfs(scratch(), `hello from ${arch}`)
    const change = `CMD=${JSON.stringify(greet)}`
    await podman.run('import', '-q', '--arch', arch, '--change', change, rootfs, `${repository}:${arch}`)
    await podman.run('push', '-q', plainHttp, `${repository}:${arch}`)
    const part = `docker://${repository}:${arch}`
    await podman.run('manifest', 'add', plainHttp, '--arch', arch, 'multi', part)
  }
  await podman.run('manifest', 'push', '-q', '--all', plainHttp, 'multi', `docker://${repository}:1`)

  const index = await new RegistryApi(registry().url).manifest('me/multi', '1')
  const platforms = index.body.manifests?.map(({ platform }) => platform?.architecture)
  expect(platforms).toEqual(['amd64', 'arm64'])
  await podman.run('pull', '-q', plainHttp, '--arch', 'arm64', `${repository}:1`)
  const format = '{{.Architecture}}'
  expect(await podman.run('image', 'inspect', '--format', format, `${repository}:1`)).toBe('arm64')
})

clientTest(peers, 'four images pushed at the same time', async () => {
  const { podman } = tools()
  const images = ['a', 'b', 'c', 'd'].map((name) => `${registry().address}/many/${name}:1`)
  for (const image of images) await tools().import(await makeRootfs(scratch(), image), image, greet)
  await Promise.all(images.map((image) => podman.run('push', '-q', plainHttp, image)))
  await podman.run('rmi', '-f', ...images)
  for (const image of images) {
    expect(await podman.run('run', '--rm', '-q', plainHttp, '--network', 'none', image)).toBe(image)
  }
})
