import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { Containerd } from '../support/containerd.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const containerd = shared(() => Containerd.start(), ['containerd', 'ctr'])

/** Puts an image layout into the registry, for containerd to find. */
async function publish(name: string, reference: string, architectures?: readonly string[]): Promise<string> {
  const layout = await makeLayout(scratch(), name, architectures)
  const regctl = homedClient('regctl', scratch())
  const host = `reg=${registry().address},tls=disabled`
  await regctl.run('--host', host, 'image', 'copy', `ocidir://${layout.folder}:1`, reference)
  return layout.digest
}

clientTest(['containerd', 'ctr', 'regctl', 'busybox'], 'pull, run, push under another name', async () => {
  const { ctr } = containerd()
  const image = `${registry().address}/me/app:1`
  const digest = await publish('plain', image)
  await ctr.run('images', 'pull', '--plain-http', image)
  expect(await ctr.run('run', '--rm', image, 'plain')).toBe('plain for amd64')

  const copy = `${registry().address}/me/copy:1`
  await ctr.run('images', 'tag', image, copy)
  await ctr.run('images', 'push', '--plain-http', copy)
  expect((await new RegistryApi(registry().url).manifest('me/copy', '1')).digest).toBe(digest)
})

clientTest(['containerd', 'ctr', 'regctl', 'busybox'], 'an image for two platforms (index)', async () => {
  const { ctr } = containerd()
  const image = `${registry().address}/me/multi:1`
  const digest = await publish('multi', image, twoPlatforms)
  await ctr.run('images', 'pull', '--plain-http', '--all-platforms', image)
  expect(await ctr.run('run', '--rm', image, 'multi')).toBe('multi for amd64')

  const copy = `${registry().address}/other/multi:1`
  await ctr.run('images', 'tag', image, copy)
  await ctr.run('images', 'push', '--plain-http', copy)
  const { body, ...index } = await new RegistryApi(registry().url).manifest('other/multi', '1')
  expect(index.digest).toBe(digest)
  expect(body.manifests).toHaveLength(2)
})
