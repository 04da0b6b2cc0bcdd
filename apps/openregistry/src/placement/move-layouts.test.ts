import { moveJob, operator, pinLayouts, type Ports } from '@openregistry/core'
import { cidParts } from '@openregistry/dag'
import { mediaTypes, parseRepositoryName } from '@openregistry/oci'
import { hashedContent, pushManifest } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { PinningStore } from '../testing/pinning-store.ts'
import { pushContent } from '../testing/content.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

/*
 * What is moved away from public backends, the layouts of its images included: they have manifests and configs in them.
 */
const name = parseRepositoryName('me/app')
const close = { repository: name, visibility: 'private' } as const

interface Opened extends SeveralBackends {
  /** The public backend, which is on IPFS. */
  pinning: PinningStore
}

async function open(): Promise<Opened> {
  const opened = await openSeveralBackends()
  const pinning = new PinningStore('open')
  const { disk, vault } = opened.store
  Object.assign(opened.ports, { backends: new Map(Object.entries({ open: pinning.store, disk, vault })) })
  return { ...opened, pinning }
}

/** Pushes an image all of which is in the database, and computes its layout. @returns the root in hexadecimal. */
async function push({ registry, metadata }: Opened, { repository = name } = {}): Promise<string> {
  const config = hashedContent('{}')
  await pushContent(registry, repository, config.bytes)
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.sha256, size: config.size },
    layers: [],
  })
  const { digest } = await pushManifest(metadata, repository, {
    bytes: hashedContent(bytes).bytes,
    blobs: [config.sha256],
  })
  const { cid } = await registry.imageCid(operator, { repository, reference: { kind: 'digest', digest } })
  return cidParts(cid).digest.toHex()
}

const begin = ({ registry }: Opened) =>
  registry.moveRepository(operator, { repository: name, backend: 'disk', rate: 0 })

async function work(ports: Ports): Promise<unknown> {
  const { id } = (await ports.metadata.findRepository(name))!
  return moveJob(ports).run({ payload: id, signal: new AbortController().signal })
}

const stateOf = async ({ registry }: Opened) => (await registry.getMove(operator, { repository: name })).move

test('its layouts are let go before the move is over, and it may be private then', async () => {
  await using opened = await open()
  const { registry, ports, pinning } = opened
  const root = await push(opened)
  await pinLayouts(ports)
  expect([...pinning.pins.keys()]).toStrictEqual([root])
  await expect(registry.setVisibility(operator, close)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('1 image layout of it is in public storage (open)') as string,
  })
  await begin(opened)
  expect(await work(ports)).toMatchObject({ ended: 'true' })
  expect(pinning.pins.size).toBe(0)
  expect(await stateOf(opened)).toMatchObject({ state: 'done', error: null })
  expect(await registry.setVisibility(operator, close)).toMatchObject({ visibility: 'private' })
})

test('what stays public there is not pinned again, although all of it is in the database', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  await push(opened)
  await begin(opened)
  await work(ports)
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(pinning.pins.size).toBe(0)
})

test('what another public repository shows stays there', async () => {
  await using opened = await open()
  const { ports, pinning } = opened
  const root = await push(opened)
  await push(opened, { repository: parseRepositoryName('you/same') })
  await pinLayouts(ports)
  await begin(opened)
  expect(await work(ports)).toMatchObject({ ended: 'true' })
  expect([...pinning.pins.keys()]).toStrictEqual([root])
})

test('a layout that is just being pinned is gone before the move is over', async () => {
  await using opened = await open()
  const { registry, ports, pinning } = opened
  await push(opened)
  let moving: Promise<unknown> = Promise.resolve()
  pinning.beforePin = async () => {
    await begin(opened)
    moving = work(ports)
  }
  expect(await pinLayouts(ports)).toStrictEqual({ pinned: 0, unpinned: 0 })
  expect(await moving).toMatchObject({ ended: 'true' })
  expect(pinning.pins.size).toBe(0)
  expect(await registry.setVisibility(operator, close)).toMatchObject({ visibility: 'private' })
})

test('a move waits for a backend that is away', async () => {
  await using opened = await open()
  const { registry, ports, pinning } = opened
  await push(opened)
  await pinLayouts(ports)
  pinning.isAway = true
  await begin(opened)
  await expect(work(ports)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  expect(await stateOf(opened)).toMatchObject({ state: 'running', error: expect.any(String) as string })
  await expect(registry.setVisibility(operator, close)).rejects.toMatchObject({ code: 'CONFLICT' })
  pinning.isAway = false
  expect(await work(ports)).toMatchObject({ ended: 'true' })
  expect(pinning.pins.size).toBe(0)
})
