import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { objectFiles } from './testing/damage.ts'
import { pushImage, type PushedImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

async function gc(cwd: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runCommand(['gc', '--json', ...args], { cwd })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

async function has(
  { server }: ServerUnderTest,
  { layer }: PushedImage,
  repository = 'me/app',
): Promise<boolean> {
  const { status } = await fetch(`${server}/v2/${repository}/blobs/${layer.digest}`, { method: 'HEAD' })
  return status === 200
}

test('a registry with nothing to collect says so, and one that is not there is not made', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const none = await runCommand(['gc'], { cwd })
  expect(none.code).toBe(1)
  expect(none.stderr).toContain('there is no registry in')
  await (await runServer({ cwd })).stop()
  for (const args of [['gc'], ['gc', '--dry-run']]) {
    const { code, stdout, stderr } = await runCommand(args, { cwd })
    expect([code, stdout, stderr]).toStrictEqual([0, '', 'There is nothing to collect.\n'])
  }
  const wrong = await runCommand(['gc', '--grace', 'soon'], { cwd })
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain('--grace takes a duration')
})

test('beside a live server: what was deleted comes back after its grace, and what is used stays', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const [kept, dropped] = [await pushImage(live.client, 'me/app:1'), await pushImage(live.client, 'me/app:2')]
  await live.client.oci.deleteManifest(name, dropped.digest)
  expect(await gc(cwd)).toMatchObject({ blobs: 0, complete: true })
  expect(await objectFiles(join(cwd, 'data', 'blobs'))).toHaveLength(2)

  const dry = await runCommand(['gc', '--dry-run', '--grace', '0'], { cwd })
  expect(dry.code).toBe(0)
  expect(dry.stdout).toMatch(/^REPOSITORY +REASON +MANIFESTS +BLOBS +SIZE\n/)
  expect(dry.stdout).toMatch(/^me\/app +no longer needed +0 +2 +97.\d KiB$/m)
  expect(dry.stdout).toMatch(/^me\/app +manifest deleted +1 +0 +\d+ B$/m)
  expect(dry.stderr).toMatch(/^3 blobs would go, and 9\d.\d KiB come back. Nothing was changed.$/m)
  expect(await objectFiles(join(cwd, 'data', 'blobs'))).toHaveLength(2)

  const done = await runCommand(['gc', '--grace', '0'], { cwd })
  expect(done.stdout).toBe('')
  expect(done.stderr).toMatch(/^3 blobs collected, 9\d.\d KiB came back \(1 manifest, 2 links, 1 object\).$/m)
  expect(await objectFiles(join(cwd, 'data', 'blobs'))).toHaveLength(1)
  expect([await has(live, kept), await has(live, dropped)]).toStrictEqual([true, false])
  const again = await pushImage(live.client, 'me/app:3')
  expect(await has(live, again)).toBe(true)
})

test('what belongs to a deleted image goes with it, as a dry run says', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const image = await pushImage(live.client, 'me/app:1')
  await pushImage(live.client, 'me/app', 1000, image.digest)
  await live.client.oci.deleteManifest(name, image.digest)
  const { content, following, pendingDeletes, more, ...expected } = await gc(cwd, '--dry-run', '--grace', '0')
  expect(content).toHaveLength(3)
  expect(expected).toMatchObject({ manifests: 2, links: 4, blobs: 6 })
  expect([following, pendingDeletes, more]).toStrictEqual([0, 0, false])
  // With any time of grace it is deleted now, and goes later.
  const later = await runCommand(['gc', '--dry-run', '--grace', '1ms'], { cwd })
  expect(later.stderr).toMatch(/^1 manifest that belongs to these would be deleted with them/m)
  const shown = await runCommand(['gc', '--dry-run', '--grace', '0'], { cwd })
  expect(shown.stdout).toMatch(/^me\/app +subject deleted +1 +0 +\d+ B$/m)
  expect(shown.stderr).not.toContain('belongs to these')
  expect(await gc(cwd, '--grace', '0')).toMatchObject(expected)
})

test('a deleted repository gives everything back without a time of grace', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  await pushImage(live.client, 'me/app:1')
  await live.client.api.deleteRepository(name)
  expect(await gc(cwd, '--dry-run')).toMatchObject({ blobs: 3, links: 2, manifests: 1, pendingDeletes: 0 })
  expect(await gc(cwd)).toMatchObject({ repositories: 1, blobs: 3, links: 2, manifests: 1, objects: 1 })
  expect(await objectFiles(join(cwd, 'data', 'blobs'))).toStrictEqual([])
})

test('a secret is purged from every repository, with the images that need it', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const live = await runServer({ cwd })
  // Small enough to lie in the database.
  const secret = await pushImage(live.client, 'me/app:1', 3000)
  const other = await pushImage(live.client, 'me/app:2')
  await live.client.oci.uploadBlob(parseRepositoryName('you/copy'), secret.layer.digest, secret.layer.bytes)
  const purge = ['gc', '--purge', secret.layer.digest]

  const unasked = await runCommand(purge, { cwd })
  expect(unasked.stderr).toContain('add --yes')
  expect(unasked.code).toBe(2)
  expect(unasked.stdout).toMatch(new RegExp(`^me/app +${secret.digest} +1$`, 'm'))
  expect(unasked.stdout).toMatch(/^you\/copy +none$/m)
  expect(unasked.stderr).toContain('add --yes')
  const dry = await gc(cwd, '--purge', secret.layer.digest, '--dry-run')
  expect(dry).toMatchObject({ size: 3000, more: false, holders: [{ tags: ['1'] }, { manifest: null }] })
  expect(await has(live, secret)).toBe(true)

  expect(await gc(cwd, '--purge', secret.layer.digest, '--yes')).toMatchObject({ blobs: 1, links: 2 })
  expect(await has(live, secret)).toBe(false)
  expect(await has(live, secret, 'you/copy')).toBe(false)
  expect(await has(live, other)).toBe(true)
  const tags = await fetch(`${live.server}/v2/me/app/tags/list`)
  expect(await tags.json()).toMatchObject({ tags: ['2'] })
  await live.stop()
  const database = await readFile(join(cwd, 'data', 'openregistry.db'))
  expect(database.includes(secret.layer.bytes.subarray(100, 200))).toBe(false)

  const gone = await runCommand([...purge, '--yes'], { cwd })
  expect(gone.code).toBe(1)
  expect(gone.stderr).toContain('nobody has')
  const wrong = await runCommand(['gc', '--purge', 'latest', '--yes'], { cwd })
  expect(wrong.code).toBe(2)
})
