import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { Containerd } from '../support/containerd.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { pushLayout } from '../support/push-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const containerd = shared(() => Containerd.start(), ['containerd', 'ctr'])

clientTest(['containerd', 'ctr', 'busybox'], 'pull, run, push under another name', async () => {
  const { ctr } = containerd()
  const image = `${registry().address}/me/app:1`
  const layout = await makeLayout(scratch(), 'plain')
  await pushLayout(registry().url, 'me/app', layout)
  await ctr.run('images', 'pull', '--plain-http', image)
  expect(await ctr.run('run', '--rm', image, 'plain')).toBe('plain for amd64')

  const copy = `${registry().address}/me/copy:1`
  await ctr.run('images', 'tag', image, copy)
  await ctr.run('images', 'push', '--plain-http', copy)
  expect((await new RegistryApi(registry().url).manifest('me/copy', '1')).digest).toBe(layout.digest)
})

clientTest(['containerd', 'ctr', 'busybox'], 'an image for two platforms (index)', async () => {
  const { ctr } = containerd()
  const image = `${registry().address}/me/multi:1`
  const layout = await makeLayout(scratch(), 'multi', twoPlatforms)
  await pushLayout(registry().url, 'me/multi', layout)
  await ctr.run('images', 'pull', '--plain-http', '--all-platforms', image)
  expect(await ctr.run('run', '--rm', image, 'multi')).toBe('multi for amd64')

  const copy = `${registry().address}/other/multi:1`
  await ctr.run('images', 'tag', image, copy)
  await ctr.run('images', 'push', '--plain-http', copy)
  const { body, ...index } = await new RegistryApi(registry().url).manifest('other/multi', '1')
  expect(index.digest).toBe(layout.digest)
  expect(body.manifests).toHaveLength(2)
})
