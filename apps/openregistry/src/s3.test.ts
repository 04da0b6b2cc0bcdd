import { parseRepositoryName } from '@openregistry/oci'
import { describeWithS3, S3FaultProxy, type S3Access, type S3Fault } from '@openregistry/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { s3Variables } from './testing/on-s3.ts'
import { expectBlob, expectBroken, expectMended } from './testing/expect-blob.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { rawGet } from './testing/raw-get.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')
const mebi = 1024 * 1024

const blobUrl = (registry: ServerUnderTest, { layer }: PushedImage) =>
  `${registry.server}/v2/${name}/blobs/${layer.digest}`

describeWithS3('a registry on S3', (server) => {
  const opened = new AsyncDisposableStack()
  let proxy: S3FaultProxy
  let access: S3Access
  let registry: ServerUnderTest

  beforeAll(async () => {
    const folder = opened.use(await temporaryFolder())
    access = await server().createBucket()
    proxy = opened.use(await S3FaultProxy.start(server().endpoint))
    const env = s3Variables({ ...access, endpoint: proxy.endpoint })
    registry = opened.use(await runServer({ cwd: folder.path, env }))
  })
  afterAll(() => opened.disposeAsync())
  beforeEach(() => proxy.reset())

  const fail = (operation: string, fault: S3Fault): void => {
    proxy.fault = (request) => (request.operation === operation ? fault : null)
  }
  const push = (size: number): Promise<PushedImage> => pushImage(registry.client, 'me/app:1', size)

  test('keeps layers in the bucket, and gives them back, in ranges as well', async () => {
    const image = await push(3 * mebi + 5)
    const { bytes } = image.layer
    expect(await server().objects(access.bucket)).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}\/[0-9a-f]{32}$/),
    ])
    await expectBlob(blobUrl(registry, image), bytes)
  })

  test('sends no wrong leaf: the connection breaks, the place is marked, a push mends it', async () => {
    const image = await push(3 * mebi + 5)
    const { bytes, digest } = image.layer
    fail('GetObject', { kind: 'wrong byte', at: 2 * mebi + 5 })
    const elsewhere = await rawGet(blobUrl(registry, image), { Range: `bytes=5-${mebi + 9}` })
    expect([elsewhere.status, elsewhere.complete]).toEqual([206, true])
    expect(await expectBroken(blobUrl(registry, image), bytes)).toBeLessThanOrEqual(2 * mebi)
    proxy.reset()
    const again = () => registry.client.oci.uploadBlob(name, digest, bytes)
    await expectMended(blobUrl(registry, image), bytes, again)
  })

  test.each<[string, S3Fault]>([
    ['is wrong', { kind: 'wrong byte', at: 77 }],
    ['is missing', { kind: 'refuse', status: 404, code: 'NoSuchKey' }],
    ['is too short', { kind: 'short', by: 1000 }],
    ['does not come', { kind: 'refuse', status: 503, code: 'SlowDown' }],
  ])('answers clearly when an object %s from its beginning', async (_what, fault) => {
    const image = await push(100_000)
    fail('GetObject', fault)
    expect(await rawGet(blobUrl(registry, image))).toMatchObject({ status: 503, complete: true })
  })

  test.each<[string, string, S3Fault, number]>([
    ['a part', 'UploadPart', { kind: 'refuse', status: 503, code: 'SlowDown' }, 12 * mebi],
    ['the end', 'CompleteMultipartUpload', { kind: 'refuse', status: 500, code: 'InternalError' }, 12 * mebi],
    ['a part that is lost', 'UploadPart', { kind: 'pretend' }, 12 * mebi],
    ['a small layer', 'PutObject', { kind: 'cut request', after: 1000 }, 100_000],
  ])('refuses a push that fails at %s, and takes it afterwards', async (_what, operation, fault, size) => {
    fail(operation, fault)
    await expect(push(size)).rejects.toMatchObject({ status: 503 })
    proxy.reset()
    const image = await push(size)
    expect(Buffer.compare((await rawGet(blobUrl(registry, image))).body, image.layer.bytes)).toBe(0)
  })

  test('says that it is full', async () => {
    fail('PutObject', { kind: 'refuse', status: 507, code: 'InsufficientStorage' })
    await expect(push(100_000)).rejects.toMatchObject({ status: 507 })
  })

  test('never writes a secret into its log', () => {
    const text = JSON.stringify(registry.log)
    expect(text).toContain('STORAGE_UNAVAILABLE')
    expect(text).not.toContain(access.secretKey)
    expect(text).not.toContain(access.accessKey)
    expect(text).not.toContain('Signature=')
  })
})
