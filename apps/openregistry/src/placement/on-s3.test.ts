import { join } from 'node:path'
import type { TagStorageFacts } from '@openregistry/sdk'
import { describeWithS3, type S3Access } from '@openregistry/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { damages, objectFiles } from '../testing/damage.ts'
import { s3Variables } from '../testing/on-s3.ts'
import { pushImage, type PushedImage } from '../testing/push-image.ts'
import { rawGet } from '../testing/raw-get.ts'
import { runCommand } from '../testing/run-command.ts'
import { runServer, type ServerUnderTest } from '../testing/run-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'

const size = 3_000_000

/** Copies are made every 15 seconds. */
const patience = { timeout: 60_000, interval: 500 }

describeWithS3('a registry on a disk and S3', (server) => {
  const opened = new AsyncDisposableStack()
  let cwd: string
  let access: S3Access
  let env: Record<string, string>
  let registry: ServerUnderTest

  beforeAll(async () => {
    cwd = opened.use(await temporaryFolder()).path
    access = await server().createBucket()
    const placed = { DEFAULT: 'disk', REPLICAS: 's3', NAMESPACES: 'acme=s3' }
    const variables = Object.entries(placed).map(([key, value]) => [`OPEN_REGISTRY_DFS_${key}`, value])
    env = s3Variables(access, Object.fromEntries(variables) as Record<string, string>)
    registry = opened.use(await runServer({ cwd, env }))
  })
  afterAll(() => opened.disposeAsync())

  const files = () => objectFiles(join(cwd, 'data', 'blobs'))
  const objects = () => server().objects(access.bucket)
  const run = (...args: string[]) =>
    runCommand(args, { cwd, env: { ...env, OPEN_REGISTRY_SERVER: registry.server } })

  /** Backends that have large blobs of the images of a repository. */
  async function backendsOf(repository: string): Promise<string[]> {
    const { stdout } = await run('ls', '--storage', repository, '--json')
    const { tags } = JSON.parse(stdout) as { tags: TagStorageFacts[] }
    return tags.flatMap(({ stored }) => stored.map(({ backend }) => backend)).filter((at) => at !== 'inline')
  }

  async function pull(repository: string, { layer }: PushedImage): Promise<void> {
    const got = await rawGet(`${registry.server}/v2/${repository}/blobs/${layer.digest}`)
    expect([got.status, Buffer.compare(got.body, layer.bytes)]).toEqual([200, 0])
  }

  test('a namespace has its own', async () => {
    const image = await pushImage(registry.client, 'acme/app:1', size)
    expect(await backendsOf('acme/app')).toEqual(['s3'])
    expect([(await files()).length, (await objects()).length]).toEqual([0, 1])
    await pull('acme/app', image)
  })

  test('what is on the disk is copied, read there when it is lost, mended from there, and moved', async () => {
    const image = await pushImage(registry.client, 'me/app:1', size)
    expect((await files()).length).toBe(1)
    await expect.poll(() => backendsOf('me/app'), patience).toEqual(['disk', 's3'])
    expect((await objects()).length).toBe(2)

    for (const file of await files()) await damages.deleted(file)
    await pull('me/app', image)
    const scrubbed = await run('scrub', '--repair', '--json')
    const { code, stdout, stderr } = scrubbed
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) as string })
    expect(JSON.parse(stdout)).toMatchObject({
      repaired: [{ digest: image.layer.digest, from: 'another place here' }],
    })
    expect((await files()).length).toBe(1)

    const moved = await run('move', 'me/app', '--to', 's3', '--json')
    expect({ code: moved.code, stderr: moved.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await files()).toEqual([])
    expect(await backendsOf('me/app')).toEqual(['s3'])
    await pull('me/app', image)
    await pushImage(registry.client, 'me/app:2', size)
    expect(await files()).toEqual([])
  })

  test('names that are none are refused at the start', async () => {
    const wrong = { ...env, OPEN_REGISTRY_DFS_REPLICAS: 'storj', OPEN_REGISTRY_DFS_NAMESPACES: 'acme=gcs' }
    const { code, stderr } = await runCommand(['config', 'print'], { cwd, env: wrong })
    expect(code).not.toBe(0)
    expect(stderr).toContain('found "acme=gcs"')
  })
})
