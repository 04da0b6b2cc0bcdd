import { expect } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const tools = shared(() => new ContainerTools())
const toPlainHttp = '--dest-tls-verify=false'
const fromPlainHttp = '--src-tls-verify=false'
const peers = ['skopeo', 'busybox'] as const

clientTest(peers, 'copy a layout to the registry and back, byte for byte', async () => {
  const { skopeo } = tools()
  const layout = await makeLayout(scratch(), 'one')
  const image = `docker://${registry().address}/me/app:1`
  await skopeo.run('copy', '-q', toPlainHttp, '--preserve-digests', `oci:${layout.folder}:1`, image)
  const back = scratch().folder('back')
  await skopeo.run('copy', '-q', fromPlainHttp, '--preserve-digests', image, `oci:${back}:1`)
  const raw = await skopeo.run('inspect', '--raw', '--tls-verify=false', image)
  expect(raw).toBe(await skopeo.run('inspect', '--raw', `oci:${back}:1`))
  const inspected = await skopeo.run('inspect', '--tls-verify=false', image)
  expect(JSON.parse(inspected)).toMatchObject({ Digest: layout.digest, RepoTags: ['1'] })
})

clientTest(peers, 'copy within the registry, in both formats', async () => {
  const { skopeo } = tools()
  const layout = await makeLayout(scratch(), 'two')
  const image = `docker://${registry().address}/me/origin:1`
  await skopeo.run('copy', '-q', toPlainHttp, `oci:${layout.folder}:1`, image)
  const api = new RegistryApi(registry().url)
  for (const format of ['oci', 'v2s2']) {
    const copy = `docker://${registry().address}/other/copy:${format}`
    await skopeo.run('copy', '-q', fromPlainHttp, toPlainHttp, '--format', format, image, copy)
  }
  expect((await api.manifest('other/copy', 'oci')).mediaType).toContain('vnd.oci.image.manifest')
  expect((await api.manifest('other/copy', 'v2s2')).mediaType).toContain('vnd.docker.distribution.manifest')
})

clientTest(peers, 'copy an image for two platforms (index) with all its parts', async () => {
  const { skopeo } = tools()
  const layout = await makeLayout(scratch(), 'multi', twoPlatforms)
  const image = `docker://${registry().address}/me/multi:1`
  await skopeo.run('copy', '-q', '--all', toPlainHttp, `oci:${layout.folder}:1`, image)
  const copy = `docker://${registry().address}/other/multi:1`
  await skopeo.run('copy', '-q', '--all', fromPlainHttp, toPlainHttp, image, copy)
  const { digest, body } = await new RegistryApi(registry().url).manifest('other/multi', '1')
  expect(digest).toBe(layout.digest)
  expect(body.manifests).toHaveLength(2)
})

clientTest(peers, 'list tags, delete', async () => {
  const { skopeo } = tools()
  const layout = await makeLayout(scratch(), 'three')
  const repository = `docker://${registry().address}/me/tags`
  for (const tag of ['b', 'a']) {
    await skopeo.run('copy', '-q', toPlainHttp, `oci:${layout.folder}:1`, `${repository}:${tag}`)
  }
  const listed = JSON.parse(await skopeo.run('list-tags', '--tls-verify=false', repository)) as object
  expect(listed).toMatchObject({ Tags: ['a', 'b'] })
  await skopeo.run('delete', '--tls-verify=false', `${repository}:a`)
  const { code } = await skopeo.attempt('inspect', '--tls-verify=false', `${repository}:a`)
  expect(code).not.toBe(0)
})
