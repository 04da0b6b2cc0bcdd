import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const engine = shared(() => DockerEngine.start(), dockerPeers)
const tools = shared(() => new ContainerTools())

/** Runs an image that podman has to get from the registry. */
async function runByPodman(image: string): Promise<string> {
  const { podman } = tools()
  await podman.attempt('rmi', '-f', image)
  return podman.run('run', '--rm', '-q', '--tls-verify=false', '--network', 'none', image)
}

clientTest([...dockerPeers, 'podman'], 'push, restart of the registry, pull and run by podman', async () => {
  const image = `${registry().address}/me/app:1`
  await engine().import(await makeRootfs(scratch()), image, greet)
  await engine().docker.run('push', '--quiet', image)

  expect(await registry().stop()).toBe(0)
  await registry().startAgain()
  expect(await runByPodman(image)).toBe(greeting)
})

clientTest([...dockerPeers, 'podman'], 'push, the data moved elsewhere, pull and run by both', async () => {
  const image = `${registry().address}/me/moved:1`
  await engine().import(await makeRootfs(scratch(), 'moved'), image, greet)
  await engine().docker.run('push', '--quiet', image)

  expect(await registry().stop()).toBe(0)
  const elsewhere = join(scratch().folder('elsewhere'), 'registry-data')
  renameSync(registry().options.dataDir, elsewhere)
  await registry().startAgain(elsewhere)

  expect(await runByPodman(image)).toBe('moved')
  await engine().docker.run('rmi', '--force', image)
  expect(await engine().docker.run('run', '--rm', '--quiet', '--network', 'none', image)).toBe('moved')
})
