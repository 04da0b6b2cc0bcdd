import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clientTest, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import { makeLayout, twoPlatforms } from '../support/image-layout.ts'
import { RegistryApi } from '../support/registry-api.ts'
import type { Program } from '../support/program.ts'
import { makeLargeFile } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const mebibyte = 1024 * 1024

/** regctl that knows the registry; `settings` are more options of `registry set`. */
async function regctl(...settings: string[]): Promise<Program> {
  const client = homedClient('regctl', scratch())
  const plain = ['--tls', 'disabled', '--skip-check']
  await client.run('registry', 'set', ...plain, ...settings, registry().address)
  return client
}

clientTest(
  ['regctl', 'busybox'],
  'copy a layout to the registry, between repositories and back',
  async () => {
    const client = await regctl()
    const layout = await makeLayout(scratch(), 'app', twoPlatforms)
    const image = `${registry().address}/me/app:1`
    const copy = `${registry().address}/other/copy:1`
    await client.run('image', 'copy', `ocidir://${layout.folder}:1`, image)
    await client.run('image', 'copy', image, copy)
    await client.run('image', 'copy', copy, `ocidir://${scratch().path}/back:1`)
    expect(await client.run('image', 'digest', copy)).toBe(layout.digest)
    expect(await client.run('image', 'digest', `ocidir://${scratch().path}/back:1`)).toBe(layout.digest)
  },
)

clientTest(['regctl'], 'artifacts and what refers to them, without a fallback tag', async () => {
  const client = await regctl()
  const { address, url } = registry()
  const file = scratch().file('a.txt', 'an artifact\n')
  const type = 'application/vnd.example.thing'
  await client.run('artifact', 'put', '--artifact-type', type, '-f', file, `${address}/me/art:1`)
  const subject = `${address}/me/art:1`
  await client.run('artifact', 'put', '--artifact-type', `${type}.note`, '-f', file, '--subject', subject)
  expect(await client.run('artifact', 'get', subject)).toBe('an artifact')
  expect(await client.run('artifact', 'list', subject)).toContain(`${type}.note`)

  const api = new RegistryApi(url)
  const { digest } = await api.manifest('me/art', '1')
  expect(await api.referrers('me/art', digest)).toMatchObject([{ artifactType: `${type}.note` }])
  expect(await api.tags('me/art')).toEqual(['1'])
})

clientTest(['regctl'], 'a blob in chunks with Content-Range, and one with sha512', async () => {
  const chunked = await regctl('--blob-max', String(mebibyte), '--blob-chunk', String(mebibyte))
  const repository = `${registry().address}/me/blobs`
  const bytes = readFileSync(makeLargeFile(scratch(), 'chunked', 5 * mebibyte + 17))
  const sha256 = await chunked.feed(bytes, 'blob', 'put', repository)
  expect(sha256).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  const fetched = await fetch(`${registry().url}/v2/me/blobs/blobs/${sha256}`)
  expect(bytes.equals(Buffer.from(await fetched.arrayBuffer()))).toBe(true)

  const sha512 = `sha512:${createHash('sha512').update('short').digest('hex')}`
  expect(await chunked.feed('short', 'blob', 'put', '--digest', sha512, repository)).toBe(sha512)
  expect(await chunked.run('blob', 'get', repository, sha512)).toBe('short')
})

clientTest(['regctl', 'busybox'], 'tags and repositories: list, delete a tag alone', async () => {
  const client = await regctl()
  const layout = await makeLayout(scratch(), 'tags')
  for (const tag of ['a', 'b']) {
    const image = `${registry().address}/me/tags:${tag}`
    await client.run('image', 'copy', `ocidir://${layout.folder}:1`, image)
  }
  await client.run('tag', 'rm', `${registry().address}/me/tags:a`)
  expect(await client.run('tag', 'ls', `${registry().address}/me/tags`)).toBe('b')
  expect((await client.run('repo', 'ls', registry().address)).split('\n')).toContain('me/tags')
})
