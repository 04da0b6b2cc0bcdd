import { mediaTypes, parseDigest, parseRepositoryName, parseTag } from '@openregistry/oci'
import type { RestoredFacts, TagChangeFacts } from '@openregistry/sdk'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { commandBeside } from './testing/command-beside.ts'
import { pushImage } from './testing/push-image.ts'
import { runServer } from './testing/run-server.ts'

const { server: registry, run, json } = commandBeside((cwd) => runServer({ cwd }))

async function digestAt(image: string): Promise<string | null> {
  const { code, stdout } = await run('inspect', image, '--json')
  return code === 0 ? (JSON.parse(stdout) as { digest: string }).digest : null
}

/** Pushes an index of these manifests. */
async function pushIndex(
  name: string,
  tag: string,
  children: readonly { digest: string }[],
): Promise<string> {
  const manifests = children.map(({ digest }) => ({ mediaType: mediaTypes.ociManifest, digest, size: 400 }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }))
  const index = { mediaType: mediaTypes.ociIndex, bytes }
  await registry().client.oci.putManifest(parseRepositoryName(name), parseTag(tag), index)
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
}

describe('the wrong thing was deleted', () => {
  test('a tag: what rm prints brings it back', async () => {
    const { digest } = await pushImage(registry().client, 'night/app:latest')
    const { stderr } = await run('rm', 'night/app:latest', '--yes')
    const undo = / {2}openregistry (.*)\n/.exec(stderr)?.[1]?.split(' ') ?? []
    expect(undo).toEqual(['tag', 'restore', 'night/app:latest'])
    expect(await digestAt('night/app:latest')).toBeNull()
    expect((await run(...undo)).stderr).toBe(`night/app:latest is ${digest}.\n`)
    expect(await digestAt('night/app:latest')).toBe(digest)
  })

  test('a manifest: it comes back with its tags, and rm says until when that is certain', async () => {
    const { digest } = await pushImage(registry().client, 'night/other:1')
    await run('tag', 'night/other:1', 'stable')
    const image = `night/other@${digest}`
    const { stderr } = await run('rm', image, '--yes', '--server', registry().server)
    const days = 7
    const until = new Date(Date.now() + days * 86_400_000).getFullYear()
    expect(stderr).toMatch(new RegExp(`^To undo that, until ${until}-[-\\d: ]+ for certain:$`, 'm'))
    expect(stderr).toContain(`  openregistry tag restore ${image} --server ${registry().server}\n`)
    const { stderr: said } = await run('tag', 'restore', image, '--server', registry().server)
    expect(said).toBe(`${image} is here again.\nIts tags too: 1, stable.\n`)
    expect(await digestAt('night/other:stable')).toBe(digest)
    expect((await run('tag', 'restore', image)).stderr).toBe(`${image} is here; it was not deleted.\n`)
  })

  test('an image for several platforms: what it names comes back, and what does not is said', async () => {
    const one = await pushImage(registry().client, 'night/multi:one')
    const two = await pushImage(registry().client, 'night/multi:two')
    const digest = await pushIndex('night/multi', 'all', [one, two])
    for (const gone of [digest, one.digest, two.digest]) await run('rm', `night/multi@${gone}`, '--yes')
    await registry()
      .client.oci.deleteManifest(parseRepositoryName('night/multi'), one.digest)
      .catch(() => null)
    const repository = parseRepositoryName('night/multi')
    const { layer } = two
    await fetch(`${registry().server}/v2/night/multi/blobs/${layer.digest}`, { method: 'DELETE' })
    const { code, stderr } = await run('tag', 'restore', 'night/multi:all')
    expect(code).toBe(0)
    expect(stderr).toBe(
      `night/multi:all is ${digest}.\nWith it 1 manifest that it names.\n` +
        `What it names besides is not here any more; push it again:\n  ${two.digest}\n`,
    )
    const refused = await run('tag', 'restore', `night/multi@${two.digest}`)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(layer.digest)
    await registry().client.oci.uploadBlob(repository, layer.digest, layer.bytes)
    expect(await json<RestoredFacts>('tag', 'restore', `night/multi@${digest}`)).toEqual({
      ...{ repository: 'night/multi', digest, tags: [], missing: [] },
      manifests: [two.digest],
    })
  })
})

describe('the wrong thing was pushed', () => {
  test('restore goes back, and back again; --to takes what tables show', async () => {
    const images = []
    for (let n = 0; n < 3; n++) images.push(await pushImage(registry().client, 'day/app:latest'))
    const [first, second, third] = images.map(({ digest }) => digest)
    expect((await run('tag', 'restore', 'day/app:latest')).code).toBe(0)
    expect(await digestAt('day/app:latest')).toBe(second)
    expect((await run('tag', 'restore', 'day/app:latest')).code).toBe(0)
    expect(await digestAt('day/app:latest')).toBe(third)
    const table = (await run('tag', 'history', 'day/app:latest')).stdout
    expect(table.split('\n')).toHaveLength(7)
    const shown = /new +(sha256:[0-9a-f]{12}) /.exec(table)?.[1] ?? ''
    expect((await run('tag', 'restore', 'day/app:latest', '--to', shown)).code).toBe(0)
    expect(await digestAt('day/app:latest')).toBe(first)
  })

  test('history says who, when, from what to what; of a repository with its deleted tags', async () => {
    const { digest } = await pushImage(registry().client, 'day/gone:v1')
    await run('rm', `day/gone@${digest}`, '--yes')
    const { changes } = await json<{ changes: TagChangeFacts[] }>('tag', 'history', 'day/gone')
    const restorableUntil = expect.stringMatching(/Z$/) as string
    const about = { tag: 'v1', changedBy: 'operator', manifest: 'deleted', restorableUntil }
    expect(changes).toEqual([
      { ...about, from: digest, to: null, changedAt: restorableUntil },
      { ...about, from: null, to: digest, changedAt: restorableUntil },
    ])
    const [titles, newest] = (await run('tag', 'history', 'day/gone')).stdout.split('\n')
    expect(titles).toMatch(/^WHEN +TAG +CHANGE +DIGEST +BEFORE +BY +MANIFEST$/)
    expect(newest).toMatch(
      /\(just now\) +v1 +deleted +sha256:[0-9a-f]{12} +operator +deleted, restorable until /,
    )
  })

  test('--at says what a tag was, and brings that back', async () => {
    const { digest } = await pushImage(registry().client, 'day/at:latest')
    const at = new Date().toISOString()
    await pushImage(registry().client, 'day/at:latest')
    const { changes } = await json<{ changes: TagChangeFacts[] }>(
      'tag',
      'history',
      'day/at:latest',
      '--at',
      at,
    )
    expect(changes).toMatchObject([{ from: null, to: digest }])
    expect((await run('tag', 'restore', 'day/at:latest', '--at', at)).code).toBe(0)
    expect(await digestAt('day/at:latest')).toBe(digest)
    const { code, stderr } = await run('tag', 'history', 'day/at:latest', '--at', '1d')
    expect(code).toBe(0)
    expect(stderr).toContain('day/at:latest was not there yet at ')
    const never = await run('tag', 'restore', 'day/at:latest', '--at', '1d')
    expect(never).toMatchObject({ code: 1, stdout: '' })
    expect(never.stderr).toContain('There was no tag "latest" in day/at yet at that time.')
  })
})

test.each([
  [['tag', 'restore', 'day/app'], 'tag history day/app'],
  [['tag', 'restore', 'day/app:latest', '--at', 'soon'], '--at soon'],
  [['tag', 'restore', 'day/app:latest', '--to', 'latest'], 'is no digest'],
  [['tag', 'restore', 'day/app:latest', '--to', 'abcdef', '--at', '1d'], 'Say once'],
  [['tag', 'history', 'day/app', '--at', '1d'], '--at goes with a tag'],
])('%j is a mistake that the text explains', async (args, text) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(text)
})

test.each([
  [['tag', 'restore', 'nobody/here:latest'], /NAME_UNKNOWN/],
  [['tag', 'restore', 'day/app:never'], /There was no tag "never" in day\/app ever\./],
  [['tag', 'restore', `day/app@sha256:${'0'.repeat(64)}`], /Push it again\. \(MANIFEST_UNKNOWN\)/],
  [['tag', 'restore', 'day/app:latest', '--to', '000000000000'], /never was 000000000000/],
])('%j does not happen, and the text says why', async (args, text) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(text)
})
