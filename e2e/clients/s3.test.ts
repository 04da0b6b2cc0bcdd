import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { S3Server } from '@openregistry/testkit'
import { expect } from 'vitest'
import { clientTest, shared, sharedScratch } from '../support/client-test.ts'
import { ContainerTools } from '../support/container-tools.ts'
import { homedClient } from '../support/homed-client.ts'
import { peakMemory } from '../support/peak-memory.ts'
import { startRegistryUnderTest, type RunningRegistry } from '../support/registry.ts'
import { makeLargeFile, packTar } from '../support/rootfs.ts'

const mebibyte = 1024 * 1024

const scratch = sharedScratch()
const server = shared(() => S3Server.start(), ['versitygw'])
const registry = shared(() => startOn('plain', {}), ['versitygw'])
const redirecting = shared(
  () => startOn('redirecting', { OPEN_REGISTRY_DFS_REDIRECT: 'true' }),
  ['versitygw'],
)
const tools = shared(() => new ContainerTools())
const crane = () => homedClient('crane', scratch())

/** A registry with a bucket of this name. */
async function startOn(name: string, more: Record<string, string>): Promise<RunningRegistry> {
  const { endpoint, bucket, accessKey, secretKey } = await server().createBucket(name)
  return startRegistryUnderTest({
    settings: {
      OPEN_REGISTRY_DFS_DEFAULT: 's3',
      OPEN_REGISTRY_DFS_S3_ENDPOINT: endpoint,
      OPEN_REGISTRY_DFS_S3_BUCKET: bucket,
      OPEN_REGISTRY_DFS_S3_ACCESS_KEY: accessKey,
      OPEN_REGISTRY_DFS_S3_SECRET_KEY: secretKey,
      ...more,
    },
  })
}

/** The tar file of a layer with so many bytes, of which no compression makes fewer. */
async function layerOf(size: number, name: string): Promise<string> {
  scratch().folder(name)
  makeLargeFile(scratch(), join(name, 'data'), size)
  return packTar(scratch(), join(scratch().path, name), `${name}.tar`)
}

/** Bytes of the largest object of a bucket. */
async function largestIn(bucket: string): Promise<number> {
  const names = await server().objects(bucket)
  const files = await Promise.all(names.map((name) => stat(join(server().folder, bucket, name))))
  return Math.max(...files.map(({ size }) => size))
}

clientTest(['crane', 'versitygw'], '200 MiB to a bucket and back, without holding them', async () => {
  const image = `${registry().address}/me/large:1`
  const before = peakMemory(registry().pid)
  await crane().run('append', '-f', await layerOf(200 * mebibyte, 'large'), '-t', image)
  await crane().run('validate', '--remote', image)
  expect(await largestIn('plain')).toBeGreaterThan(200 * mebibyte)
  expect(peakMemory(registry().pid) - before).toBeLessThan(200 * mebibyte)
})

clientTest(['skopeo', 'crane', 'versitygw'], 'follow to where they are sent', async () => {
  const image = `${redirecting().address}/me/sent:1`
  await crane().run('append', '-f', await layerOf(20 * mebibyte, 'sent'), '-t', image)
  await crane().run('validate', '--remote', image)
  const back = scratch().folder('back')
  await tools().skopeo.run('copy', '-q', '--src-tls-verify=false', `docker://${image}`, `oci:${back}:1`)
  expect(await largestIn('redirecting')).toBeGreaterThan(20 * mebibyte)
})
