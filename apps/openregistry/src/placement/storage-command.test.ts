import { pinLayouts, replicateJob } from '@openregistry/core'
import type { InspectedManifest } from '@openregistry/sdk'
import { expect, test } from 'vitest'
import { describePlaces } from '../client/list-storage.ts'
import { commandBeside } from '../testing/command-beside.ts'
import { PinningStore } from '../testing/pinning-store.ts'
import { pushImage } from '../testing/push-image.ts'
import { serveSeveral } from '../testing/serve-several.ts'

const { server: served, run } = commandBeside(() => serveSeveral({ backend: 'disk', replicas: ['vault'] }))

const replicate = () =>
  replicateJob(served().ports).run({ payload: '', signal: new AbortController().signal })

test('shows where tags are stored, copies as they are made, and what is lost', async () => {
  const { digest } = await pushImage(served().client, 'me/app:1', 3_000_000)
  const lines = async () => (await run('ls', '--storage', 'me/app')).stdout.trimEnd().split('\n')
  expect(await lines()).toStrictEqual([
    'TAG  BLOBS     SIZE  STORED  VERIFIED',
    '1        2  2.9 MiB  disk    just now',
  ])
  await replicate()
  expect((await lines())[1]).toBe('1        2  2.9 MiB  disk, vault  just now')
  const json = await run('ls', '--storage', 'me/app', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({
    repository: 'me/app',
    tags: [
      {
        name: '1',
        digest,
        blobs: 2,
        missing: 0,
        stored: [
          { backend: 'disk', blobs: 1, bytes: 3_000_000 },
          { backend: 'inline', blobs: 1 },
          { backend: 'vault', blobs: 1, verifiedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string },
        ],
      },
    ],
  })
  const image = JSON.parse((await run('inspect', 'me/app:1', '--json')).stdout) as InspectedManifest
  expect(image.layers[0]?.places).toMatchObject([
    { backend: 'disk', state: 'good' },
    { backend: 'vault', state: 'good' },
  ])
  expect((await run('inspect', 'me/app:1')).stdout).toContain('disk, vault')
})

test('shows what a backend on IPFS has pinned: each blob, and the layout of a tag', async () => {
  const backends = new Map(served().ports.backends).set('vault', new PinningStore('vault').store)
  Object.assign(served().ports, { backends })
  await pushImage(served().client, 'me/shown:1', 3_000_000)
  await replicate()
  const columns = async () => (await run('ls', '--storage', 'me/shown')).stdout.trimEnd().split('\n')
  expect((await columns())[0]).not.toContain('PINNED')
  await run('cid', 'me/shown:1')
  await pinLayouts(served().ports)
  expect(await columns()).toStrictEqual([
    'TAG  BLOBS     SIZE  STORED       VERIFIED  PINNED',
    '1        2  2.9 MiB  disk, vault  just now  vault',
  ])
  const { stdout } = await run('ls', '--storage', 'me/shown', '--json')
  const since = expect.stringMatching(/^\d{4}-.*Z$/) as string
  expect(JSON.parse(stdout)).toMatchObject({ tags: [{ pinned: [{ backend: 'vault', since }] }] })
  const image = JSON.parse((await run('inspect', 'me/shown:1', '--json')).stdout) as InspectedManifest
  expect([image.layers[0]?.pinned, image.config?.pinned]).toStrictEqual([['vault'], []])
})

test.each([
  ['no repository', ['ls', '--storage'], 'goes with a repository'],
  ['an image', ['ls', '--storage', 'me/app:1'], 'openregistry inspect me/app:1'],
])('takes a repository: %s', async (_what, args, text) => {
  const { code, stderr } = await run(...args)
  expect(code).toBe(2)
  expect(stderr).toContain(text)
})

test.each([
  ['all in one place', 3, { disk: 3 }, 0, 'disk'],
  ['partly copied', 3, { disk: 3, s3: 1 }, 0, 'disk, s3 1 of 3'],
  ['small parts in the database', 3, { disk: 2, inline: 1, s3: 1 }, 0, 'disk, s3 1 of 2'],
  ['small alone', 2, { inline: 2 }, 0, 'inline'],
  ['partly lost', 3, { disk: 2 }, 1, 'disk 2 of 3, 1 not here'],
  ['an index of nothing', 0, {}, 0, 'nothing to store'],
])('%s', (_what, blobs, amounts: Record<string, number>, missing, text) => {
  const stored = Object.entries(amounts).map(([backend, count]) => {
    return { backend, blobs: count, bytes: 0, verifiedAt: '' }
  })
  const tag = { name: '1', digest: 'sha256:00' as never, bytes: 0 }
  expect(describePlaces({ ...tag, blobs, stored, missing, pinned: [], announced: null })).toBe(text)
})
