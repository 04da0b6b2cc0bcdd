import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { clientTest, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { homedClient } from '../support/homed-client.ts'
import { RegistryApi } from '../support/registry-api.ts'
import { makeRootfs } from '../support/rootfs.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const peers = ['crane', 'busybox'] as const
const crane = () => homedClient('crane', scratch())

clientTest(peers, 'make an image of a tar file, validate it, get its files back', async () => {
  const image = `${registry().address}/me/app:1`
  const rootfs = await makeRootfs(scratch())
  const pushed = await crane().run('append', '-f', rootfs, '-t', image)
  expect(pushed).toBe(`${registry().address}/me/app@${await crane().run('digest', image)}`)
  await crane().run('validate', '--remote', image)

  const exported = `${scratch().path}/exported.tar`
  await crane().run('export', image, exported)
  expect(readFileSync(exported).includes('hello from openregistry')).toBe(true)
})

clientTest(peers, 'pull and push as archive and as layout', async () => {
  const image = `${registry().address}/me/app:2`
  await crane().run('append', '-f', await makeRootfs(scratch()), '-t', image)
  const digest = await crane().run('digest', image)
  const archive = `${scratch().path}/archive.tar`
  const layout = `${scratch().path}/layout`
  await crane().run('pull', image, archive)
  await crane().run('pull', '--format', 'oci', image, layout)
  await crane().run('push', archive, `${registry().address}/me/archive:1`)
  await crane().run('push', layout, `${registry().address}/me/layout:1`)
  expect(await crane().run('digest', `${registry().address}/me/layout:1`)).toBe(digest)
  await crane().run('validate', '--remote', `${registry().address}/me/archive:1`)
})

clientTest(peers, 'copy to another repository, an index, tags, catalog, delete', async () => {
  const { address, url } = registry()
  const image = `${address}/me/app:3`
  await crane().run('append', '-f', await makeRootfs(scratch()), '-t', image)
  await crane().run('copy', image, `${address}/other/copy:1`)
  await crane().run('index', 'append', '-t', `${address}/other/copy:index`, '-m', image)
  expect((await new RegistryApi(url).manifest('other/copy', 'index')).body.manifests).toHaveLength(1)
  expect(await crane().run('ls', `${address}/other/copy`)).toBe('1\nindex')
  expect((await crane().run('catalog', address)).split('\n')).toContain('other/copy')

  const digest = await crane().run('digest', `${address}/other/copy:index`)
  await crane().run('delete', `${address}/other/copy@${digest}`)
  expect(await crane().run('ls', `${address}/other/copy`)).toBe('1')
})

clientTest(peers, 'eight layers in one image, eight images at the same time', async () => {
  const layers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => makeRootfs(scratch(), `layer ${index}`)),
  )
  const images = layers.map((_, index) => `${registry().address}/many/crane-${index}:1`)
  const files = layers.flatMap((layer) => ['-f', layer])
  await Promise.all(images.map((image) => crane().run('append', ...files, '-t', image)))
  await Promise.all(images.map((image) => crane().run('validate', '--remote', image)))
})
