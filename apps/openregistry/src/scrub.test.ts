import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseRepositoryName } from '@openregistry/oci'
import { startBlockGateway } from '@openregistry/testkit'
import { describe, expect, test } from 'vitest'
import { damages, objectFiles } from './testing/damage.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand, startCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

/** What the registry answers about the layer and the manifest of an image. */
async function statuses({ server }: ServerUnderTest, { digest, layer }: PushedImage, tag = '1') {
  const blob = `${server}/v2/me/app/blobs/${layer.digest}`
  const status = async (url: string, init: RequestInit = {}): Promise<number> => {
    const answer = await fetch(url, init)
    await answer.arrayBuffer().catch(() => undefined)
    return answer.status
  }
  return {
    head: await status(blob, { method: 'HEAD' }),
    get: await status(blob),
    range: await status(blob, { headers: { Range: 'bytes=5-9' } }),
    manifest: await status(`${server}/v2/me/app/manifests/${digest}`),
    tag: await status(`${server}/v2/me/app/manifests/${tag}`, { method: 'HEAD' }),
  }
}

const fine = { head: 200, get: 200, range: 206, manifest: 200, tag: 200 }

async function pushLayerAgain({ client }: ServerUnderTest, { layer }: PushedImage): Promise<void> {
  await client.oci.uploadBlob(name, layer.digest, layer.bytes)
}

interface Report {
  objects: number
  damaged: { digest: string; state: string; repositories: { images: { tags: string[] }[] }[] }[]
  recovered: number
  repaired?: unknown[]
  surplus: { found: number; deleted: number; withheld: number }
  complete: boolean
  resumed: boolean
}

async function scrub(cwd: string, ...args: string[]): Promise<{ code: number | null; report: Report }> {
  const { code, stdout, stderr } = await runCommand(['scrub', '--json', ...args], { cwd })
  if (stdout === '') throw new Error(stderr)
  return { code, report: JSON.parse(stdout) as Report }
}

test('objects that are damaged, whatever way, are found beside a live server, not served, and healed by a push', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const hurt: { image: PushedImage; tag: string; state: string }[] = []
  const known = new Set<string>()
  for (const [kind, damage] of Object.entries(damages)) {
    const image = await pushImage(live.client, `me/app:${kind}`)
    expect(await statuses(live, image, kind)).toEqual(fine)
    const files = await objectFiles(join(cwd, 'data', 'blobs'))
    for (const file of files.filter((one) => !known.has(one))) await damage(file)
    for (const file of files) known.add(file)
    hurt.push({ image, tag: kind, state: kind === 'deleted' ? 'missing' : 'damaged' })
  }
  const whole = await pushImage(live.client, 'me/app:whole')
  const { code, report } = await scrub(cwd)
  expect(code).toBe(1)
  const named = report.damaged.map(({ digest, state, repositories }) => ({ digest, state, repositories }))
  expect(new Set(named)).toEqual(
    new Set(
      hurt.map(({ image, tag, state }) => ({
        digest: image.layer.digest,
        state,
        repositories: [{ repository: 'me/app', images: [{ digest: image.digest, tags: [tag] }] }],
      })),
    ),
  )
  expect(await statuses(live, whole, 'whole')).toEqual(fine)
  for (const { image, tag } of hurt) {
    expect(await statuses(live, image, tag)).toEqual({ ...fine, head: 404, get: 404, range: 404 })
    await pushLayerAgain(live, image)
    expect(await statuses(live, image, tag)).toEqual(fine)
  }
  expect(await scrub(cwd)).toMatchObject({ code: 0, report: { damaged: [], objects: 18 } })
})

describe.each(['truncated', 'deleted'] as const)('an object that was %s and is asked for', (kind) => {
  test.each([
    ['whole', {}],
    ['in part', { Range: 'bytes=5-9' }],
    ['beyond its end', { Range: 'bytes=50000-50009' }],
  ])('%s: is refused, and from then on it is not here', async (_how, headers) => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    await using live = await runServer({ cwd })
    const image = await pushImage(live.client, 'me/app:1')
    const [file] = await objectFiles(join(cwd, 'data', 'blobs'))
    await damages[kind](file ?? '')
    const url = `${live.server}/v2/me/app/blobs/${image.layer.digest}`
    const first = await fetch(url, { headers })
    expect(first.status).toBe(503)
    await first.arrayBuffer()
    expect(await statuses(live, image)).toEqual({ ...fine, head: 404, get: 404, range: 404 })
    // Clients ask first and send what is not there, so their next push heals it.
    await pushLayerAgain(live, image)
    expect(await statuses(live, image)).toEqual(fine)
  })
})

test('a manifest that is damaged in the database is found, not served, and healed by a push', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  const { bytes, mediaType } = await live.client.oci.getManifest(name, image.digest)
  const corrupt = (change: string): void => {
    using database = new DatabaseSync(join(cwd, 'data', 'openregistry.db'), { timeout: 5000 })
    database
      .prepare(
        `UPDATE blob_locations SET bytes = ${change}
         WHERE blob_id = (SELECT blob_id FROM manifests WHERE digest = ?)`,
      )
      .run(image.digest)
  }
  corrupt(`CAST(replace(CAST(bytes AS TEXT), 'sha256', 'sha257') AS BLOB)`)
  const found = await scrub(cwd)
  expect(found).toMatchObject({
    code: 1,
    report: { damaged: [{ digest: image.digest, state: 'damaged', backend: 'inline', key: null }] },
  })
  expect(await statuses(live, image)).toEqual({ ...fine, manifest: 404, tag: 404 })
  await live.client.oci.putManifest(name, image.digest, { mediaType, bytes })
  expect(await statuses(live, image)).toEqual(fine)

  // A length that is wrong shows at once.
  corrupt('substr(bytes, 1, 20)')
  expect((await statuses(live, image)).manifest).toBe(503)
  await live.client.oci.putManifest(name, image.digest, { mediaType, bytes })
  expect(await statuses(live, image)).toEqual(fine)
})

test('nothing mounts, needs or backs up what is damaged', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  await damages.flipped((await objectFiles(join(cwd, 'data', 'blobs')))[0] ?? '')
  await scrub(cwd)
  const mount = `${live.server}/v2/me/other/blobs/uploads/?mount=${image.layer.digest}&from=me/app`
  expect((await fetch(mount, { method: 'POST' })).status).toBe(202)
  const { bytes, mediaType } = await live.client.oci.getManifest(name, image.digest)
  await expect(live.client.oci.putManifest(name, image.digest, { mediaType, bytes })).rejects.toMatchObject({
    code: 'MANIFEST_BLOB_UNKNOWN',
  })
  const backup = await runCommand(['backup', 'saved', '--json'], { cwd })
  expect(JSON.parse(backup.stdout)).toMatchObject({ linked: 0, copied: 0 })
})

test('objects that come back are served again', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  const [file = ''] = await objectFiles(join(cwd, 'data', 'blobs'))
  await damages.deleted(file)
  expect((await scrub(cwd)).code).toBe(1)
  await writeFile(file, image.layer.bytes)
  expect(await scrub(cwd)).toMatchObject({ code: 0, report: { recovered: 1, damaged: [] } })
  expect(await statuses(live, image)).toEqual(fine)
})

test('a file that nothing names is told of, and kept until it cannot be of an upload', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  await pushImage(live.client, 'me/app:1')
  const stray = `00${'a'.repeat(30)}.${'b'.repeat(32)}`
  await writeFile(join(cwd, 'data', 'blobs', '00', stray), 'stray')
  expect(await scrub(cwd)).toMatchObject({
    code: 0,
    report: { surplus: { found: 1, deleted: 0, withheld: 0 } },
  })
  const env = { OPEN_REGISTRY_LIMITS_UPLOAD_LIFETIME: '1s' }
  for (let withheld = 0; withheld === 0;) {
    const kept = await runCommand(['scrub', '--json'], { cwd, env })
    const { surplus } = JSON.parse(kept.stdout) as Report
    expect(surplus).toMatchObject({ found: 1, deleted: 0 })
    withheld = surplus.withheld
  }
  const gone = await runCommand(['scrub', '--json', '--delete-surplus'], { cwd, env })
  expect(JSON.parse(gone.stdout)).toMatchObject({ surplus: { found: 1, deleted: 1, withheld: 0 } })
})

test('killed in the middle, it goes on with the rest', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  for (const tag of ['1', '2', '3']) await pushImage(live.client, `me/app:${tag}`, 300_000)
  const all = (await scrub(cwd)).report.objects
  const child = startCommand(['scrub', '--rate', '100KiB'], { cwd })
  // Far enough to have recorded something, by the database's own word; the rate makes the rest last for seconds.
  using database = new DatabaseSync(join(cwd, 'data', 'openregistry.db'), { readOnly: true })
  const verified = database.prepare(`
    SELECT count(*) AS count FROM blob_locations
    WHERE verified_at >= (SELECT started_at FROM scrub_passes WHERE ended_at IS NULL)`)
  while (Number(verified.get()?.['count'] ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  const { code, report } = await scrub(cwd)
  expect({ code, complete: report.complete, resumed: report.resumed }).toEqual({
    code: 0,
    complete: true,
    resumed: true,
  })
  expect(report.objects).toBeLessThan(all)
  expect(report.objects).toBeGreaterThan(0)
  expect((await scrub(cwd)).report).toMatchObject({ objects: all, resumed: false })
}, 60_000)

test('says what it is to do: one repository, what is old, what is wrong with an option', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  expect((await runCommand(['scrub'], { cwd })).stderr).toContain('there is no registry in')
  await using live = await runServer({ cwd })
  expect((await runCommand(['scrub'], { cwd })).stderr).toContain('Nothing is stored here yet')
  await pushImage(live.client, 'me/app:1')
  await pushImage(live.client, 'me/other:1')
  expect((await scrub(cwd, '--repository', 'me/app')).report.objects).toBe(3)
  expect((await scrub(cwd, '--older-than', '1h')).report.objects).toBe(0)
  expect((await scrub(cwd, '--all', '--rate', '0')).report.objects).toBe(6)
  const nobody = await runCommand(['scrub', '--repository', 'no/body'], { cwd })
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('no repository "no/body"')])
  for (const [text, ...wrong] of [
    ['--rate takes bytes a second', '--rate', 'fast'],
    ['--older-than takes a duration', '--older-than', '7'],
    ["cannot be used with option '--older-than <duration>'", '--all', '--older-than', '7d'],
  ]) {
    const { code, stderr } = await runCommand(['scrub', ...wrong], { cwd })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(text ?? '') as string })
  }
})

test('--repair mends what a gateway has, beside a live server, and says what remains', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1', 2_500_000)
  const [file] = await objectFiles(join(cwd, 'data', 'blobs'))
  await damages.flipped(file ?? '')
  const without = await scrub(cwd, '--repair')
  expect(without).toMatchObject({
    code: 1,
    report: { repaired: [], damaged: [{ digest: image.layer.digest }] },
  })
  await using gateway = await startBlockGateway(image.layer.bytes)
  const { code, stdout, stderr } = await runCommand(['scrub', '--from', gateway.address], { cwd })
  expect(code).toBe(0)
  const host = new URL(gateway.address).host
  expect(stdout).toBe(`repaired ${image.layer.digest}, 2.4 MiB, disk, from ${host}\n`)
  expect(stderr).toContain('1 stored object repaired, and served again.')
  expect(await statuses(live, image)).toEqual(fine)
  expect(await scrub(cwd, '--all')).toMatchObject({ code: 0, report: { damaged: [] } })
  const wrong = await runCommand(['scrub', '--from', 'ipfs.example.org'], { cwd })
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ipfs.example.org is no address of --from') as string,
  })
})
