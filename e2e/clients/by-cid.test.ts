import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { greet, greeting, makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const tools = shared(() => new ContainerTools())
const engine = shared(() => DockerEngine.start(), dockerPeers)

async function cidOf(repository: string, reference: string): Promise<string> {
  const path = `/api/v1/repositories/${encodeURIComponent(repository)}/cid?reference=${reference}`
  const { cid } = (await (await fetch(`${registry().url}${path}`)).json()) as { cid: string }
  return cid
}

clientTest(['skopeo', 'busybox'], 'copies an image for two platforms by its CID alone', async () => {
  const { skopeo } = tools()
  const layout = await makeLayout(scratch(), 'multi', twoPlatforms)
  const image = `docker://${registry().address}/me/multi:1`
  await skopeo.run('copy', '-q', '--all', '--dest-tls-verify=false', `oci:${layout.folder}:1`, image)
  const byCid = `docker://${registry().address}/ipfs/${await cidOf('me/multi', '1')}`
  const back = scratch().folder('back')
  const exactly = ['copy', '-q', '--all', '--preserve-digests', '--src-tls-verify=false']
  await skopeo.run(...exactly, byCid, `oci:${back}:1`)
  const raw = (place: string) => skopeo.run('inspect', '--raw', '--tls-verify=false', place)
  expect(await raw(`oci:${back}:1`)).toBe(await raw(image))
})

clientTest(dockerPeers, 'pulls and runs an image by its CID', async () => {
  const { docker } = engine()
  const image = `${registry().address}/me/app:1`
  await engine().import(await makeRootfs(scratch()), image, greet)
  await docker.run('push', '--quiet', image)
  await docker.run('rmi', '--force', image)
  const byCid = `${registry().address}/ipfs/${await cidOf('me/app', '1')}`
  await docker.run('pull', '--quiet', byCid)
  expect(await docker.run('run', '--rm', '--network', 'none', byCid)).toBe(greeting)
})
