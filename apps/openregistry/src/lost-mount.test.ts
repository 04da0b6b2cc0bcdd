import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  collect,
  createRegistry,
  newBackendIdentity,
  newStorageKey,
  operator,
  scrubJob,
  sweep,
  type Ports,
  type UploadId,
} from '@openregistry/core'
import { openDiskBlobStore } from '@openregistry/blobs'
import { parseDigest, parseRepositoryName, type Digest } from '@openregistry/oci'
import { loadConfig } from '@openregistry/server/config'
import { createMetrics } from '@openregistry/server/metrics'
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openPorts } from './open-ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/*
 * What a server and its background do while the disk with the blobs is not mounted, or another one in its place: nothing
 * that lasts.
 */

const repository = parseRepositoryName('me/app')

/** What may be found where the blobs should be. */
const instead: [string, (path: string) => Promise<void>][] = [
  ['nothing', () => Promise.resolve()],
  ['an empty mount point', (path) => mkdir(path).then(() => undefined)],
  [
    'a mount point with shards, which an older release made',
    (path) => openDiskBlobStore({ path }).then(() => undefined),
  ],
  [
    'the folder of another registry',
    (path) =>
      openDiskBlobStore({ path }).then((store) => store.claim(newBackendIdentity()).then(() => undefined)),
  ],
]

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

const chunkOf = (bytes: Uint8Array) => ({ body: once(bytes), start: null, length: bytes.length })

const digestOf = (bytes: Uint8Array): Digest =>
  parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)

/** The ports of a server, and a way to take the disk away beneath it. */
async function openServer(put: (path: string) => Promise<void>) {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await temporaryFolder())
  const blobs = join(folder.path, 'blobs')
  const env = { OPEN_REGISTRY_DATA_DIR: join(folder.path, 'data'), OPEN_REGISTRY_DFS_DISK_PATH: blobs }
  const config = await loadConfig({ env, cwd: folder.path })
  const ports = await openPorts(config, createMetrics(), {}, opened)
  const resources = opened.move()
  return {
    ports,
    async unmount(): Promise<void> {
      await rename(blobs, `${blobs}.away`)
      await put(blobs)
    },
    async mount(): Promise<void> {
      await rm(blobs, { recursive: true, force: true })
      await rename(`${blobs}.away`, blobs)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function push(ports: Ports, bytes: Uint8Array): Promise<{ digest: Digest; upload: UploadId }> {
  const registry = createRegistry(ports)
  const digest = digestOf(bytes)
  const { id } = await registry.openUpload(operator, { repository, algorithm: null })
  await registry.finishUpload(operator, { repository, id, digest, chunk: chunkOf(bytes) })
  return { digest, upload: id }
}

async function pull(ports: Ports, digest: Digest): Promise<Buffer> {
  await using blob = await createRegistry(ports).openBlob(operator, { repository, digest })
  const chunks: Buffer[] = []
  for await (const chunk of blob.chunks ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const away = { code: 'STORAGE_UNAVAILABLE', message: 'The storage backend does not answer.' }

describe.each(instead)('where the blobs were there is %s:', (_what, put) => {
  test('pulls and pushes fail and mark nothing, and all is well when the disk is back', async () => {
    await using server = await openServer(put)
    const { ports } = server
    const bytes = randomBytes(50_000)
    const { digest } = await push(ports, bytes)
    await server.unmount()
    await expect(pull(ports, digest)).rejects.toMatchObject(away)
    await expect(push(ports, randomBytes(50_000))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    // The one that is pushed is there already, as the database says.
    await expect(push(ports, bytes)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await server.mount()
    expect((await pull(ports, digest)).equals(bytes)).toBe(true)
    await push(ports, bytes)
    expect((await ports.metadata.listDamage({ after: null, limit: 10 })).items).toStrictEqual([])
  })

  test('a push that was open can be finished when the disk is back', async () => {
    await using server = await openServer(put)
    const { ports } = server
    const registry = createRegistry(ports)
    const [first, second] = [randomBytes(50_000), randomBytes(50_000)]
    const digest = digestOf(Buffer.concat([first, second]))
    const { id } = await registry.openUpload(operator, { repository, algorithm: null })
    await registry.appendPart(operator, { repository, id, chunk: chunkOf(first) })
    await server.unmount()
    await expect(
      registry.appendPart(operator, { repository, id, chunk: chunkOf(second) }),
    ).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await server.mount()
    await registry.appendPart(operator, { repository, id, chunk: chunkOf(second) })
    await registry.finishUpload(operator, { repository, id, digest, chunk: null })
    expect(await pull(ports, digest)).toHaveLength(100_000)
  })

  test('scrub, collector and sweep come to no conclusion', async () => {
    await using server = await openServer(put)
    const { ports } = server
    const kept = await push(ports, randomBytes(50_000))
    const registry = createRegistry(ports)
    // An object that waits for its deletion, and one that a writer left behind in an upload that has ended.
    const { id } = await registry.openUpload(operator, { repository, algorithm: null })
    await registry.appendPart(operator, { repository, id, chunk: chunkOf(randomBytes(50_000)) })
    await registry.cancelUpload(operator, { repository, id })
    const short = { ...ports, settings: { ...ports.settings, uploadLifetime: 0 } }
    const { id: ended } = await createRegistry(short).openUpload(operator, { repository, algorithm: null })
    await ports.backends.get('disk')?.write(newStorageKey(ended), once(randomBytes(100)))
    expect(await ports.metadata.listPendingDeletes(10)).toHaveLength(1)

    await server.unmount()
    await expect(collect(ports)).rejects.toMatchObject(away)
    await expect(sweep(ports)).rejects.toMatchObject(away)
    const before = (await ports.metadata.databaseTime()) + 10
    const metadata = new Proxy(ports.metadata, {
      get(target, name) {
        if (name !== 'databaseTime') return Reflect.get(target, name) as unknown
        return () => Promise.resolve(before + 1000)
      },
    })
    const job = scrubJob({ ...ports, metadata }, { rate: 0, interval: 1000 })
    const run = job.run({ payload: '', signal: new AbortController().signal })
    await expect(run).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    expect((await ports.metadata.listDamage({ after: null, limit: 10 })).items).toStrictEqual([])
    expect(await ports.metadata.listPendingDeletes(10)).toHaveLength(1)

    await server.mount()
    expect(await sweep(ports)).toMatchObject({ uploads: 1, objects: 2 })
    expect(await pull(ports, kept.digest)).toHaveLength(50_000)
    const left = ports.backends.get('disk') as unknown as { list(prefix: string): AsyncIterable<string> }
    expect(await Array.fromAsync(left.list(''))).toHaveLength(1)
  })

  test('readiness says that it is not the right one', async () => {
    await using server = await openServer(put)
    const readiness = () => createRegistry(server.ports).readiness()
    expect(await readiness()).toMatchObject({ 'backend disk': { state: 'ok' } })
    await server.unmount()
    expect(await readiness()).toMatchObject({
      database: { state: 'ok' },
      'backend disk': {
        state: 'failing',
        error: { cause: { message: expect.stringContaining('This is not where the blobs') as string } },
      },
    })
    await server.mount()
    expect(await readiness()).toMatchObject({ 'backend disk': { state: 'ok' } })
  })
})
