import { createHash, randomBytes } from 'node:crypto'
import { parseRepositoryName } from '@openregistry/oci'
import { createRegistryClient, type RegistryClient } from '@openregistry/sdk'
import { loadConfig } from '@openregistry/server/config'
import { silentLogger } from '@openregistry/server/log'
import { faultBlobStore, type BlobFaults, type FaultyBlobStore } from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRegistry } from './composition.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { rawGet, type RawAnswer } from './testing/raw-get.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')
const size = 600_000

let origin = ''
let client: RegistryClient
let faults: BlobFaults
let sound: BlobFaults
const opened = new AsyncDisposableStack()

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder())
  const env = { OPEN_REGISTRY_HTTP_PORT: '0', OPEN_REGISTRY_DATA_DIR: folder.path }
  const config = await loadConfig({ env, cwd: folder.path })
  const registry = await startRegistry(config, silentLogger, {
    blobs(store) {
      const faulty = faultBlobStore(store)
      faults = faulty.faults
      return faulty as FaultyBlobStore & typeof store
    },
  })
  opened.defer(() => registry.stop())
  origin = registry.addresses[0] ?? ''
  client = createRegistryClient({ server: origin })
  sound = { ...faults }
})

afterAll(() => opened.disposeAsync())

beforeEach(() => {
  Object.assign(faults, sound)
})

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawAnswer> {
  return rawGet(`${origin}${path}`, headers, method)
}

const blobPath = ({ layer }: PushedImage) => `/v2/me/app/blobs/${layer.digest}`

/** Faults that show before the headers are sent. */
const early: [string, Partial<BlobFaults>][] = [
  ['is away', { away: true }],
  ['does not open objects', { failOpen: true }],
  ['has lost the object', { lost: true }],
  ['has a shorter object', { shrinkTo: 1000 }],
]

/** Faults that show in the middle. */
const late: [string, Partial<BlobFaults>][] = [
  ['breaks off', { failReadAt: 300_000 }],
  ['ends early', { endReadAt: 300_000 }],
  ['breaks off at once', { failReadAt: 0 }],
  ['ends at once', { endReadAt: 0 }],
]

describe.each(early)('a backend that %s', (_what, fault) => {
  test.each([
    ['whole', {}],
    ['a range', { Range: 'bytes=400000-400099' }],
  ])('is no success: %s', async (_how, headers) => {
    const image = await pushImage(client, 'me/app:1', size)
    Object.assign(faults, fault)
    const answer = await get(blobPath(image), headers)
    expect(answer).toMatchObject({ status: 503, complete: true })
    Object.assign(faults, sound)
    // Everything else is as it was.
    const other = await pushImage(client, 'me/app:2', size)
    expect((await get(blobPath(other))).body.equals(other.layer.bytes)).toBe(true)
  })
})

describe.each(late)('a backend that %s', (_what, fault) => {
  test.each([
    ['whole', {}],
    ['a range', { Range: 'bytes=200000-499999' }],
  ])('breaks the connection: %s', async (_how, headers) => {
    const image = await pushImage(client, 'me/app:1', size)
    Object.assign(faults, fault)
    const answer = await get(blobPath(image), headers).catch(() => null)
    // Nobody can take that for the whole: either no answer, or fewer bytes than announced on a connection that broke.
    if (answer !== null && answer.status < 300) {
      expect(answer.complete).toBe(false)
      expect(answer.body.length).toBeLessThan(answer.announced ?? 0)
    }
    Object.assign(faults, sound)
    expect((await get(blobPath(image))).body.equals(image.layer.bytes)).toBe(true)
  })
})

test('manifests and small blobs need no backend', async () => {
  const image = await pushImage(client, 'me/app:1', 1000)
  faults.away = true
  expect(await get(`/v2/me/app/manifests/${image.digest}`)).toMatchObject({ status: 200, complete: true })
  expect((await get(blobPath(image))).body.equals(image.layer.bytes)).toBe(true)
})

test('a slow backend answers slowly, and rightly', async () => {
  const image = await pushImage(client, 'me/app:1', size)
  faults.beforeOperation = () => new Promise((resolve) => setTimeout(resolve, 20))
  faults.beforeChunk = () => new Promise((resolve) => setTimeout(resolve, 5))
  expect((await get(blobPath(image))).body.equals(image.layer.bytes)).toBe(true)
})

test.each([
  ['fails', { failWriteAt: 300_000 }],
  ['stores and loses the answer', { failAfterWrite: true }],
  ['is full', { fullAfter: 0 }],
  ['is away', { away: true }],
])('a push to a backend that %s is refused, and goes through afterwards', async (_what, fault) => {
  const bytes = randomBytes(size)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const begun = await fetch(`${origin}/v2/me/app/blobs/uploads/`, { method: 'POST' })
  const location = `${origin}${begun.headers.get('location')}`
  Object.assign(faults, fault)
  const refused = await fetch(`${location}?digest=${digest}`, { method: 'PUT', body: bytes })
  expect(refused.status).toBe('fullAfter' in fault ? 507 : 503)
  Object.assign(faults, sound)
  expect((await get(`/v2/me/app/blobs/${digest}`, {}, 'HEAD')).status).toBe(404)
  // The session is where it was: the client may go on with it.
  const again = await fetch(`${location}?digest=${digest}`, { method: 'PUT', body: bytes })
  expect(again.status).toBe(201)
  expect((await get(`/v2/me/app/blobs/${digest}`)).body.equals(bytes)).toBe(true)
})

test('parts that cannot be read are not joined to something else', async () => {
  const bytes = randomBytes(size)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  for (const fault of [
    { lost: true },
    { shrinkTo: 1000 },
    { failReadAt: 100_000 },
    { endReadAt: 100_000 },
    { wrongByteAt: 7 },
  ]) {
    const begun = await fetch(`${origin}/v2/me/app/blobs/uploads/`, { method: 'POST' })
    let location = begun.headers.get('location') ?? ''
    for (const part of [bytes.subarray(0, 300_000), bytes.subarray(300_000)]) {
      const sent = await fetch(`${origin}${location}`, { method: 'PATCH', body: part })
      expect(sent.status).toBe(202)
      location = sent.headers.get('location') ?? ''
    }
    Object.assign(faults, fault)
    const answer = await fetch(`${origin}${location}?digest=${digest}`, { method: 'PUT' })
    expect(answer.status).toBe('wrongByteAt' in fault ? 400 : 503)
    Object.assign(faults, sound)
    expect((await get(`/v2/me/app/blobs/${digest}`, {}, 'HEAD')).status).toBe(404)
  }
  await client.oci.uploadBlob(name, digest as Parameters<typeof client.oci.uploadBlob>[1], bytes)
  expect((await get(`/v2/me/app/blobs/${digest}`)).body.equals(bytes)).toBe(true)
})

test.each([
  ['lost', { lost: true }],
  ['too short', { shrinkTo: 1000 }],
])('content that is pushed again while the object is %s is there afterwards', async (_what, fault) => {
  const image = await pushImage(client, 'me/app:1', size)
  const { digest, bytes } = image.layer
  const begun = await fetch(`${origin}/v2/me/app/blobs/uploads/`, { method: 'POST' })
  const location = begun.headers.get('location') ?? ''
  const upload = /[0-9a-f]{32}/.exec(location)?.[0] ?? ''
  // Everything that is there is bad, and what comes is good.
  Object.assign(faults, fault, { only: (key: string) => !key.startsWith(upload) })
  const pushed = await fetch(`${origin}${location}?digest=${digest}`, { method: 'PUT', body: bytes })
  expect(pushed.status).toBe(201)
  expect((await get(blobPath(image))).body.equals(bytes)).toBe(true)
})
