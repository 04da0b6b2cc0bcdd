import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PinsLayouts } from '@openregistry/core'
import { rawCid, unixfsDagSize, unixfsDirectory } from '@openregistry/dag'
import {
  bytesOf,
  describeWithKubo,
  KuboNode,
  layoutOf,
  layoutPinContract,
  newKey,
  reusing,
} from '@openregistry/testkit'
import { openKuboBlobStore } from './kubo-blob-store.ts'

const mebi = 1024 * 1024

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

let stores = 0

describeWithKubo('layouts in a node', (node) => {
  const open = (registry = `registry-${stores++}`) =>
    openKuboBlobStore({ apiUrl: node().apiUrl, spool, registry })
  layoutPinContract('kubo', async () => open())

  /** The bytes of a file, of what a node has itself. */
  async function readOffline(from: KuboNode, path: string): Promise<string> {
    return from.call('cat', { arg: path, offline: 'true', timeout: '60s' })
  }

  test('are whole there with their large blobs, and another node gets them from it', async () => {
    await using store = open()
    const key = newKey()
    const text = 'The large one. '.repeat((3 * mebi) / 15)
    const large = new TextEncoder().encode(text)
    await store.write(key, reusing(large, 300_000))
    const small = new TextEncoder().encode('The small one.')
    const file = (await store.reportedCid(key))!
    const directory = unixfsDirectory(
      [
        { name: 'large', cid: file as ReturnType<typeof rawCid>, size: unixfsDagSize(large.length) },
        { name: 'small', cid: rawCid(sha256(small)), size: small.length },
      ],
      sha256,
    )
    await store.pinLayout(layoutOf(directory.blocks[0]!.bytes, small))
    await node().collectGarbage()
    await using other = await KuboNode.start()
    await other.connect(node())
    await other.call('pin/add', { arg: directory.cid, timeout: '60s' })
    expect(await readOffline(other, `${directory.cid}/small`)).toBe('The small one.')
    expect((await readOffline(other, `${directory.cid}/large`)) === text).toBe(true)
  })

  test('have a pin for each registry that shares the node, and leave nothing in the end', async () => {
    await node().collectGarbage()
    const before = await node().blocks()
    const layout = layoutOf(...Array.from({ length: 20 }, (_, index) => bytesOf(5000, 100 + index)))
    const registries: PinsLayouts[] = [open(), open()]
    for (const registry of registries) await registry.pinLayout(layout)
    await registries[0]!.unpinLayout(layout.root)
    await node().collectGarbage()
    expect(await registries[1]!.hasLayout(layout.root)).toBe(true)
    for (const bytes of layout.shapes) {
      const arg = rawCid(bytes.sha256)
      expect(await node().call('block/stat', { arg, offline: 'true' })).toContain('5000')
    }
    await registries[1]!.unpinLayout(layout.root)
    await node().collectGarbage()
    expect(await node().blocks()).toBe(before)
  })

  test('of which blocks were lost are seen not to be there', async () => {
    await using store = open()
    const layout = layoutOf(bytesOf(5000, 200), bytesOf(10, 201))
    await store.pinLayout(layout)
    const pins = JSON.parse(await node().call('pin/ls', { type: 'recursive' })) as { Keys: object }
    for (const arg of Object.keys(pins.Keys)) await node().call('pin/rm', { arg })
    await node().collectGarbage()
    expect(await store.hasLayout(layout.root)).toBe(false)
    await store.pinLayout(layout)
    expect(await store.hasLayout(layout.root)).toBe(true)
  })
})
