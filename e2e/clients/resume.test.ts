import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { TcpProxy } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { clientTest, shared, sharedRegistry, sharedScratch } from '../support/client-test.ts'
import { DockerEngine, dockerPeers } from '../support/docker-engine.ts'
import { homedClient } from '../support/homed-client.ts'
import { greet, makeLargeFile, makeRootfs } from '../support/rootfs.ts'
import { Upload } from '../support/upload.ts'

const scratch = sharedScratch()
const registry = sharedRegistry()
const engine = shared(() => DockerEngine.start(), dockerPeers)
const mebibyte = 1024 * 1024

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Asks until the registry has noticed that the request broke and kept what had come, and says how much that is. */
async function settledOffset(upload: Upload): Promise<number> {
  for (let round = 0; round < 500; round++) {
    const offset = await upload.offset()
    if (offset > 0) return offset
    await delay(20)
  }
  return 0
}

test('plain requests: a chunk that breaks in the middle is continued where it stopped', async () => {
  const bytes = randomBytes(8 * mebibyte)
  const upload = await Upload.open(registry().url, 'me/resumed')
  await upload.patchAndBreak(bytes, 5 * mebibyte)
  const offset = await settledOffset(upload)
  expect(offset).toBeGreaterThan(0)
  expect(offset).toBeLessThanOrEqual(5 * mebibyte)

  expect((await upload.patch(bytes.subarray(offset), offset)).status).toBe(202)
  expect((await upload.finish(sha256(bytes))).status).toBe(201)
  const back = await fetch(`${registry().url}/v2/me/resumed/blobs/${sha256(bytes)}`)
  expect(bytes.equals(Buffer.from(await back.arrayBuffer()))).toBe(true)
})

test('plain requests: an upload goes on after a restart of the registry', async () => {
  const bytes = randomBytes(3 * mebibyte)
  const upload = await Upload.open(registry().url, 'me/restarted')
  expect((await upload.patch(bytes.subarray(0, mebibyte), 0)).status).toBe(202)
  expect(await registry().stop()).toBe(0)
  await registry().startAgain()

  expect(await upload.offset()).toBe(mebibyte)
  expect((await upload.patch(bytes.subarray(mebibyte), mebibyte)).status).toBe(202)
  expect((await upload.finish(sha256(bytes))).status).toBe(201)
  const back = await fetch(`${registry().url}/v2/me/restarted/blobs/${sha256(bytes)}`)
  expect(bytes.equals(Buffer.from(await back.arrayBuffer()))).toBe(true)
})

clientTest(['regctl'], 'a chunked upload whose connection breaks goes on where it was', async () => {
  const size = 24 * mebibyte
  await using proxy = await TcpProxy.start(registry().options.port, { breakAfter: 10 * mebibyte })
  const client = homedClient('regctl', scratch())
  const chunks = ['--blob-max', String(mebibyte), '--blob-chunk', String(4 * mebibyte)]
  const plain = ['--tls', 'disabled', '--skip-check']
  await client.run('registry', 'set', ...plain, ...chunks, proxy.address)
  const bytes = readFileSync(makeLargeFile(scratch(), 'cut', size))

  expect(await client.feed(bytes, 'blob', 'put', `${proxy.address}/me/cut`)).toBe(sha256(bytes))
  expect(proxy.broken).toBe(true)
  // regctl does not ask where to go on: it sends the chunk again, and is told when that is refused. So 4 MiB may be sent in vain,
  // and of the 2 MiB of the broken chunk those that the registry never got: a reset throws away what it has not read. The
  // registry cannot save it the former by waiting, before it judges a chunk, for a writer that is breaking off: such a writer
  // may be in another process, and what the client sends meanwhile is on its way anyhow.
  expect(proxy.sent).toBeLessThan(size + 6.5 * mebibyte)
})

clientTest(dockerPeers, 'a push whose connection breaks is tried again and succeeds', async () => {
  const { docker } = engine()
  await using proxy = await TcpProxy.start(registry().options.port, { breakAfter: mebibyte / 2 })
  const image = `${proxy.address}/me/cut:1`
  await engine().import(await makeRootfs(scratch()), image, greet)
  await docker.with({ timeout: 120_000 }).run('push', '--quiet', image)
  expect(proxy.broken).toBe(true)
  await docker.run('rmi', '--force', image)
  expect(await docker.run('run', '--rm', '--quiet', '--network', 'none', image)).toContain('hello')
})
