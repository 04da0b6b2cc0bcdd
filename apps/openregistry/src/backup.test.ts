import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRepositoryName } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { pushImage } from './testing/push-image.ts'
import { runCommand } from './testing/run-command.ts'
import { runServer, type ServerUnderTest } from './testing/run-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const name = parseRepositoryName('me/app')

async function layerIsThere(
  registry: ServerUnderTest,
  image: Awaited<ReturnType<typeof pushImage>>,
): Promise<boolean> {
  await registry.client.oci.getManifest(name, image.digest)
  const stream = await registry.client.oci.getBlob(name, image.layer.digest)
  return Buffer.from(await new Response(stream).arrayBuffer()).equals(image.layer.bytes)
}

/** Files of objects below a blob folder. */
async function objectsOf(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true })
  return files.filter((file) => /^..\/[0-9a-f]{32}\./.test(file)).toSorted()
}

describe.each([
  ['linked', []],
  ['copied', ['--copy']],
])('%s', (how, options) => {
  test('beside a live server; what is there before is in it, and it is a registry', async () => {
    await using folder = await temporaryFolder()
    const cwd = folder.path
    await using live = await runServer({ cwd })
    const image = await pushImage(live.client, 'me/app:1')
    const { code, stdout } = await runCommand(['backup', 'saved', '--json', ...options], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ folder: join(cwd, 'saved'), [how]: 1, missing: [] })
    expect((await stat(join(cwd, 'saved'))).mode & 0o077).toBe(0)
    expect(await readdir(join(cwd, 'saved'))).toEqual(['blobs', 'keys.json', 'openregistry.db'])
    const [keys, saved] = ['data', 'saved'].map((one) => readFileSync(join(cwd, one, 'keys.json'), 'utf8'))
    expect(saved).toBe(keys)
    expect((await stat(join(cwd, 'saved', 'keys.json'))).mode & 0o777).toBe(0o600)

    // The backup stands on its own: the original may go.
    await live.client.api.deleteRepository(name)
    await live.stop()
    await rm(join(cwd, 'data'), { recursive: true })
    await using restored = await runServer({ cwd, env: { OPEN_REGISTRY_DATA_DIR: 'saved' } })
    expect(await layerIsThere(restored, image)).toBe(true)
  })
})

test('to another file system, where no link can be made', async ({ skip }) => {
  await using folder = await temporaryFolder()
  await using elsewhere = await temporaryFolder('/dev/shm')
  skip(
    (await stat(folder.path)).dev === (await stat(elsewhere.path)).dev,
    '/dev/shm is not a file system of its own',
  )
  const cwd = folder.path
  await using live = await runServer({ cwd })
  await pushImage(live.client, 'me/app:1')
  const { code, stdout } = await runCommand(['backup', elsewhere.path, '--json'], { cwd })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ linked: 0, copied: 1, missing: [] })
})

test('while images come and go, every backup is whole', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  await using live = await runServer({ cwd })
  const kept = await pushImage(live.client, 'me/app:kept')
  let stop = false
  const churn = (async () => {
    for (let round = 0; !stop; round++) {
      const { digest, layer } = await pushImage(live.client, `me/app:${round % 3}`, 50_000)
      await live.client.oci.deleteManifest(name, digest)
      expect(layer.bytes.length).toBe(50_000)
    }
  })()
  try {
    for (const target of ['a', 'b', 'c']) {
      const { code, stdout } = await runCommand(['backup', target, '--json'], { cwd })
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ missing: [] })
    }
  } finally {
    stop = true
    await churn
  }
  await using restored = await runServer({ cwd, env: { OPEN_REGISTRY_DATA_DIR: 'c' } })
  expect(await layerIsThere(restored, kept)).toBe(true)
})

test('objects that the database names and the store has lost are a failure; the rest is saved', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const live = await runServer({ cwd })
  await pushImage(live.client, 'me/app:1')
  await live.stop()
  const [lost] = await objectsOf(join(cwd, 'data', 'blobs'))
  const kept = await runServer({ cwd })
  const image = await pushImage(kept.client, 'me/app:2')
  await kept.stop()
  await rm(join(cwd, 'data', 'blobs', lost ?? ''))
  const { code, stdout, stderr } = await runCommand(['backup', 'saved', '--json'], { cwd })
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ linked: 1, missing: [lost?.slice(3).replace('.', '/')] })
  expect(stderr).toContain('1 object that the database names could not be found')
  await using restored = await runServer({ cwd, env: { OPEN_REGISTRY_DATA_DIR: 'saved' } })
  expect(await layerIsThere(restored, image)).toBe(true)
})

test('a folder that holds something is not touched, and a registry has to be there', async () => {
  await using folder = await temporaryFolder()
  const cwd = folder.path
  const none = await runCommand(['backup', 'saved'], { cwd })
  expect(none.code).toBe(1)
  expect(none.stderr).toContain('there is no registry in')
  expect(await readdir(cwd)).toEqual([])

  await (await runServer({ cwd })).stop()
  await mkdir(join(cwd, 'full'))
  await writeFile(join(cwd, 'full', 'mine'), 'x')
  const full = await runCommand(['backup', 'full'], { cwd })
  expect(full.code).toBe(2)
  expect(full.stderr).toContain('is not empty')
  expect(await readdir(join(cwd, 'full'))).toEqual(['mine'])
})
