import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { createRegistryClient } from '@openregistry/sdk'
import { describeWithS3, S3FaultProxy } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import type { Finding } from './doctor/finding.ts'
import { s3Variables } from './testing/on-s3.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { rawGet } from './testing/raw-get.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

const blobUrl = (registry: ServerUnderTest, { layer }: PushedImage) =>
  `${registry.server}/v2/${name}/blobs/${layer.digest}`

describeWithS3('several backends', (server) => {
  test('the default changes: old blobs stay readable, new ones go to the bucket, a collection deletes in both', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const access = await server().createBucket()
    await using first = await runServer({ cwd })
    const old = await pushImage(first.client, 'me/app:1')
    await first.stop()
    const env = s3Variables(access)
    await using second = await runServer({ cwd, env })
    const image = await pushImage(second.client, 'me/app:2')
    for (const one of [old, image]) {
      expect(Buffer.compare((await rawGet(blobUrl(second, one))).body, one.layer.bytes)).toBe(0)
    }
    expect(await server().objects(access.bucket)).toHaveLength(1)
    const ready = await rawGet(`${second.server}/readyz`)
    expect(JSON.parse(ready.body.toString())).toMatchObject({
      checks: { 'backend disk': 'ok', 'backend s3': 'ok' },
    })
    expect((await rawGet(`${second.server}/metrics`)).body.toString()).toMatch(
      /operation_duration.*driver="s3"/,
    )
    const scrubbed = await runCommand(['scrub', '--json'], { cwd, env })
    expect(JSON.parse(scrubbed.stdout)).toMatchObject({
      objects: 6,
      listed: 2,
      surplus: { found: 0 },
      damaged: [],
      unlisted: [],
    })

    await second.client.api.deleteRepository(name)
    expect((await runCommand(['gc', '--grace', '0'], { cwd, env })).code).toBe(0)
    expect(await server().objects(access.bucket)).toEqual([])
  })

  test('a bucket that is away is no reason not to start, and is one not to be ready', async () => {
    await using folder = await temporaryFolder()
    const access = await server().createBucket()
    await server().stop()
    await using registry = await runServer({ cwd: folder.path, env: s3Variables(access) })
    const readiness = async () => (await rawGet(`${registry.server}/readyz`)).body.toString()
    expect(await readiness()).toContain('"backend s3":"failing"')
    await expect(pushImage(registry.client, 'me/app:1')).rejects.toMatchObject({ status: 503 })
    await server().start()
    expect(await readiness()).toContain('"backend s3":"ok"')
    const image = await pushImage(registry.client, 'me/app:1')
    expect(Buffer.compare((await rawGet(blobUrl(registry, image))).body, image.layer.bytes)).toBe(0)
    const told = registry.log.find(({ event }) => event === 'not_ready')
    expect(JSON.stringify(told)).toContain('correct dfs.s3.endpoint, or start it')
  })

  test('a lost and a damaged object are found by scrub, and named', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const access = await server().createBucket()
    const env = s3Variables(access)
    await using registry = await runServer({ cwd, env })
    const [lost, damaged] = [
      await pushImage(registry.client, 'me/app:1'),
      await pushImage(registry.client, 'me/app:2'),
    ]
    const objects = await server().objects(access.bucket)
    const files = objects.map((object) => join(server().folder, access.bucket, object))
    const contents = await Promise.all(files.map((file) => readFile(file)))
    const fileOf = (image: PushedImage) =>
      files[contents.findIndex((content) => content.equals(image.layer.bytes))] ?? ''
    await rm(fileOf(lost))
    await writeFile(fileOf(damaged), randomBytes(100_000))
    const { code, stdout } = await runCommand(['scrub', '--json'], { cwd, env })
    expect(code).not.toBe(0)
    const found = (JSON.parse(stdout) as { damaged: { digest: string; state: string; backend: string }[] })
      .damaged
    expect(found.toSorted((one, other) => (one.state < other.state ? -1 : 1))).toMatchObject([
      { digest: damaged.layer.digest, state: 'damaged', backend: 's3' },
      { digest: lost.layer.digest, state: 'missing', backend: 's3' },
    ])
  })

  test('a backup names what stays in the bucket', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    const env = s3Variables(await server().createBucket())
    await using registry = await runServer({ cwd, env })
    const image = await pushImage(registry.client, 'me/app:1')
    const { stdout } = await runCommand(['backup', 'saved', '--json'], { cwd, env })
    expect(JSON.parse(stdout)).toMatchObject({ linked: 0, copied: 0, missing: [], elsewhere: { s3: 1 } })
    expect((await runCommand(['backup', 'again'], { cwd, env })).stderr).toContain(
      '1 object of the backend s3 stay',
    )
    // Two registries on one bucket would take each other's objects for left-overs.
    const copy = { ...env, OPEN_REGISTRY_DATA_DIR: 'saved' }
    await expect(runServer({ cwd, env: copy })).rejects.toThrow('run "openregistry adopt --backend s3"')
    await registry.stop()
    expect((await runCommand(['adopt', '--backend', 's3', '--yes'], { cwd, env: copy })).code).toBe(0)
    await expect(runServer({ cwd, env })).rejects.toThrow('is another one than the database knows')
    await using restored = await runServer({ cwd, env: copy })
    expect(Buffer.compare((await rawGet(blobUrl(restored, image))).body, image.layer.bytes)).toBe(0)
  })
})

describeWithS3('doctor', (server) => {
  const examine = async (
    env: Record<string, string>,
  ): Promise<{ code: number | null; findings: Finding[] }> => {
    await using folder = await temporaryFolder()
    const all = { OPEN_REGISTRY_HTTP_PORT: '0', ...env }
    const { code, stdout } = await runCommand(['doctor', '--json'], { cwd: folder.path, env: all })
    const { checks } = JSON.parse(stdout) as { checks: Finding[] }
    return { code, findings: checks.filter(({ check }) => check.startsWith('backend ')) }
  }

  test('asks every bucket, and says what to do', async () => {
    const access = await server().createBucket()
    expect(await examine(s3Variables(access))).toMatchObject({
      code: 0,
      findings: [{ check: 'backend s3', status: 'ok' }],
    })
    expect(await server().objects(access.bucket)).toEqual([])
    const wrong = await examine(s3Variables({ ...access, secretKey: 'canary-secret' }))
    expect(wrong).toMatchObject({
      code: 1,
      findings: [
        { status: 'failed', message: expect.stringContaining('Correct dfs.s3.access_key') as string },
      ],
    })
    expect(JSON.stringify(wrong)).not.toContain('canary')
  })

  test('compares the CIDs that Filebase reports with ours', async () => {
    const access = await server().createBucket()
    await using proxy = await S3FaultProxy.start(server().endpoint)
    const env = Object.fromEntries(
      Object.entries(s3Variables({ ...access, endpoint: proxy.endpoint })).map(([key, value]) => [
        key.replace('_S3_', '_FILEBASE_'),
        value === 's3' ? 'filebase' : value,
      ]),
    )
    const told = async () => (await examine(env)).findings[1]
    expect(await told()).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('does not say') as string,
    })
    proxy.fault = ({ operation }) =>
      operation === 'HeadObject' ? { kind: 'more headers', headers: { 'x-amz-meta-cid': 'QmOther' } } : null
    expect(await told()).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/QmOther is bafy/) as string,
    })
  })
})

describeWithS3('redirects', (server) => {
  test('a GET is sent to the bucket once it is allowed, a HEAD never', async () => {
    await using folder = await temporaryFolder()
    const access = await server().createBucket()
    const env = s3Variables(access, { OPEN_REGISTRY_DFS_REDIRECT: 'true', OPEN_REGISTRY_LOG_READS: 'true' })
    await using registry = await runServer({ cwd: folder.path, env })
    const image = await pushImage(registry.client, 'me/app:1')
    const url = blobUrl(registry, image)
    expect(await rawGet(url, {}, 'HEAD')).toMatchObject({ status: 200, announced: 100_000 })
    const sent = await rawGet(url, { Range: 'bytes=5-9' })
    expect(sent).toMatchObject({ status: 307, body: Buffer.alloc(0) })
    expect(sent.headers).toMatchObject({
      'cache-control': 'no-store',
      'docker-content-digest': image.layer.digest,
    })
    const location = sent.headers.location ?? ''
    expect(location).toMatch(/^http:.*X-Amz-Expires=300&/)
    const part = await rawGet(location, { Range: 'bytes=5-9' })
    expect([part.status, ...part.body]).toEqual([206, ...image.layer.bytes.subarray(5, 10)])
    // `fetch` follows, as clients do.
    expect(Buffer.compare(Buffer.from(await (await fetch(url)).arrayBuffer()), image.layer.bytes)).toBe(0)
    expect((await rawGet(url, { Range: 'bytes=200000-' })).status).toBe(416)
    const config = `${registry.server}/v2/${name}/blobs/${image.config}`
    expect((await rawGet(config)).status).toBe(200)
    expect(JSON.stringify(registry.log)).toContain('"redirected":true')
    expect(JSON.stringify(registry.log)).not.toContain('X-Amz-Signature')

    // An object that is gone is noticed before anybody is sent to it.
    await rm(join(server().folder, access.bucket, (await server().objects(access.bucket))[0] ?? ''))
    expect((await rawGet(url)).status).toBe(503)
    expect((await rawGet(url)).status).toBe(404)
  })

  test('nobody is sent to what they may not read, nor told that it is there', async () => {
    await using folder = await temporaryFolder()
    const access = await server().createBucket()
    // `htpasswd -nbB -C 4 ada open:sesame`
    await writeFile(
      join(folder.path, 'users'),
      'ada:$2y$04$GfViB40eH4M.iztTtQcBuuRalcgzsPDupqja3FEpAnZnzUzqLZafC\n',
    )
    const more = { OPEN_REGISTRY_DFS_REDIRECT: 'true', OPEN_REGISTRY_AUTH_USERS_FILE: 'users' }
    await using registry = await runServer({ cwd: folder.path, env: s3Variables(access, more) })
    const credentials = { username: 'ada', password: 'open:sesame' }
    const ada = createRegistryClient({ server: registry.server, credentials })
    const image = await pushImage(ada, 'me/app:1')
    const url = blobUrl(registry, image)
    const basic = `Basic ${Buffer.from('ada:open:sesame').toString('base64')}`
    expect((await rawGet(url, { Authorization: basic })).status).toBe(307)
    const [refused, unknown] = [
      await rawGet(url),
      await rawGet(url.replace(image.layer.digest, image.digest)),
    ]
    expect(refused.status).toBe(401)
    expect(refused.headers.location).toBeUndefined()
    expect(refused.body.toString()).toBe(unknown.body.toString())
  })
})
