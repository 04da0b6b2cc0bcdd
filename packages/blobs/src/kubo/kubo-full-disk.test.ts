import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  bytesOf,
  holds,
  KuboNode,
  newKey,
  requireIpfsPeer,
  reusing,
  findIpfsPeer,
  Volume,
} from '@openregistry/testkit'
import type { BlobStore } from '@openregistry/core'
import { openKuboBlobStore } from './kubo-blob-store.ts'

const mebi = 1024 * 1024
const chunk = 256 * 1024

vi.setConfig({ testTimeout: 120_000 })

describe('a Kubo node whose disk is full', () => {
  const opened = new AsyncDisposableStack()
  let folder: string
  let disk: Volume
  let node: KuboNode

  beforeAll(async () => {
    if (findIpfsPeer('kubo') === null) return
    folder = await mkdtemp(join(tmpdir(), 'openregistry-kubo-disk-'))
    opened.defer(() => rm(folder, { recursive: true }))
    disk = opened.use(await Volume.open(join(folder, 'repository')))
    if (disk.isOwn) node = opened.use(await KuboNode.start({ folder: disk.path }))
  })
  afterAll(() => opened.disposeAsync())

  beforeEach((context) => {
    requireIpfsPeer(context, 'kubo')
    if (!disk.isOwn) context.skip('needs a user who may mount file systems')
  })

  /** Its database may not write again after a log that was cut, until it is opened again. */
  async function startAgainIfStuck(store: BlobStore): Promise<void> {
    const stuck = await store.check().then(
      () => false,
      () => true,
    )
    if (!stuck) return
    await node.stop()
    await node.start()
  }

  test.each([
    ['for large blocks', 4 * mebi],
    ['for anything', 0],
  ])('%s refuses, keeps what it has, and takes more later', async (_what, left) => {
    await using store = openKuboBlobStore({
      apiUrl: node.apiUrl,
      spool: join(folder, 'spool'),
      registry: `left-${left}`,
      retryWithin: 60_000,
    })
    const [kept, refused, later] = [newKey(), newKey(), newKey()]
    const [bytes, more] = [bytesOf(8 * mebi, left + 1), bytesOf(16 * mebi, left + 2)]
    await store.write(kept, reusing(bytes, chunk))
    await disk.fill(left)
    try {
      await expect(store.write(refused, reusing(more, chunk))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
      expect(await holds(store, kept, bytes)).toBe(true)
    } finally {
      await disk.empty()
    }
    await startAgainIfStuck(store)
    await store.check()
    expect(await store.stat(refused)).toBeNull()
    await store.write(later, reusing(more, chunk))
    expect(await holds(store, kept, bytes)).toBe(true)
    expect(await holds(store, later, more)).toBe(true)
  })
})
