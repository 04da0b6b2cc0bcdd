import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const engine = shared(() => DockerEngine.start(), dockerPeers)

/** Forgets the images, so that the next command has to ask the registry. */
async function forget(...references: string[]): Promise<void> {
  await engine().docker.run('rmi', '--force', ...references)
}

clientTest(dockerPeers, 'push, pull by tag and by digest, run', async () => {
  const { docker } = engine()
  const image = `${registry().address}/me/app:1`
  await engine().import(await makeRootfs(scratch()), image, greet)
  await docker.run('push', '--quiet', image)
  await forget(image)

  await docker.run('pull', '--quiet', image)
  expect(await docker.run('run', '--rm', '--network', 'none', image)).toBe(greeting)

  const { digest, mediaType, cid } = await new RegistryApi(registry().url).manifest('me/app', '1')
  expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json')
  expect(cid).toMatch(/^baf/)
  await forget(image)
  const pinned = `${registry().address}/me/app@${digest}`
  await docker.run('pull', '--quiet', pinned)
  expect(await docker.run('run', '--rm', '--network', 'none', pinned)).toBe(greeting)
})

clientTest(dockerPeers, 'a repository of one component, several tags with one push', async () => {
  const { docker } = engine()
  const repository = `${registry().address}/app`
  await engine().import(await makeRootfs(scratch()), `${repository}:v1`, greet)
  await docker.run('tag', `${repository}:v1`, `${repository}:latest`)
  await docker.run('push', '--quiet', '--all-tags', repository)
  expect(await new RegistryApi(registry().url).tags('app')).toEqual(['latest', 'v1'])
  await forget(`${repository}:v1`, `${repository}:latest`)
  expect(await docker.run('run', '--rm', '--quiet', '--network', 'none', repository)).toBe(greeting)
})

clientTest(dockerPeers, 'build on an image of the registry, push the result', async () => {
  const { docker } = engine()
  const base = `${registry().address}/me/base:1`
  const built = `${registry().address}/me/built:1`
  await engine().import(await makeRootfs(scratch()), base, greet)
  await docker.run('push', '--quiet', base)
  await forget(base)

  const context = scratch().folder('build')
  const lines = [
    `FROM ${base}`,
    'RUN /bin/sha256sum /etc/greeting > /etc/sum',
    'CMD ["/bin/cat", "/etc/sum"]',
  ]
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'))
  await docker.run('build', '--quiet', '--network', 'none', '--tag', built, context)
  await docker.run('push', '--quiet', built)
  await forget(built, base)
  expect(await docker.run('run', '--rm', '--quiet', '--network', 'none', built)).toMatch(
    /^[0-9a-f]{64} {2}\/etc\/greeting$/,
  )
})

clientTest(dockerPeers, 'an image for two platforms (manifest list)', async () => {
  const { docker } = engine()
  const repository = `${registry().address}/me/multi`
  for (const arch of ['amd64', 'arm64']) {
    const rootfs = await makeRootfs(scratch(), `hello from ${arch}`)
    await engine().import(rootfs, `${repository}:${arch}`, greet)
    await docker.run('push', '--quiet', `${repository}:${arch}`)
  }
  const parts = [`${repository}:amd64`, `${repository}:arm64`]
  await docker.run('manifest', 'create', '--insecure', `${repository}:1`, ...parts)
  await docker.run('manifest', 'annotate', '--arch', 'arm64', `${repository}:1`, `${repository}:arm64`)
  await docker.run('manifest', 'push', '--insecure', `${repository}:1`)

  const list = await new RegistryApi(registry().url).manifest('me/multi', '1')
  expect(list.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json')
  const platforms = list.body.manifests?.map(({ platform }) => platform?.architecture)
  expect(platforms?.toSorted()).toEqual(['amd64', 'arm64'])

  await forget(...parts)
  for (const arch of ['amd64', 'arm64']) {
    await docker.run('pull', '--quiet', '--platform', `linux/${arch}`, `${repository}:1`)
    // Both hold programs of this machine, so that both can be asked which one they are.
    const said = await docker.run('run', '--rm', '--network', 'none', `${repository}:1`)
    expect(said).toBe(`hello from ${arch}`)
    await forget(`${repository}:1`)
  }
})

clientTest(dockerPeers, 'eight images pushed and pulled at the same time', async () => {
  const { docker } = engine()
  const numbers = Array.from({ length: 8 }, (_, index) => index)
  const image = (number: number) => `${registry().address}/many/image-${number % 4}:${number}`
  for (const number of numbers) {
    await engine().import(await makeRootfs(scratch(), `image ${number}`), image(number), greet)
  }
  await Promise.all(numbers.map((number) => docker.run('push', '--quiet', image(number))))
  await forget(...numbers.map(image))
  await Promise.all(numbers.map((number) => docker.run('pull', '--quiet', image(number))))
  for (const number of numbers) {
    const said = await docker.run('run', '--rm', '--network', 'none', image(number))
    expect(said).toBe(`image ${number}`)
  }
})

clientTest(dockerPeers, 'an unknown tag is told as such', async () => {
  const { docker } = engine()
  const { code, stderr } = await docker.attempt('pull', `${registry().address}/me/app:no-such-tag`)
  expect(code).toBe(1)
  expect(stderr).toContain('manifest unknown')
})
