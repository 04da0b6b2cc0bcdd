import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { carFrameHead, carHeader, cidParts, encodeCid, rawCid, unixfsDirectory } from '@openregistry/dag'
import { findIpfsPeer, KuboNode, requireIpfsPeer } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { cleanEnvironment } from '../support/environment.ts'
import { run } from '../support/run.ts'
import { Scratch } from '../support/scratch.ts'
import { importCar } from './kubo-of-registry.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** Files whose content is their name. */
function namesOf(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, index) => `${(index * 7919).toString(36)}-`.padEnd(length, 'é~ _'))
}

function directoryOf(names: readonly string[]) {
  const entries = names.map((name) => {
    const bytes = Buffer.from(name)
    return { name, cid: rawCid(sha256(bytes)), size: bytes.length }
  })
  return unixfsDirectory(entries, sha256)
}

test.for([
  ['few entries', 40, 20],
  ['so many entries that they are spread over shards', 4000, 90],
] as const)(
  'a directory with %s has the CID that Kubo gives it',
  { timeout: 120_000 },
  async ([, count, length], context) => {
    requireIpfsPeer(context, 'kubo')
    await using scratch = new Scratch()
    const names = namesOf(count, length)
    for (const name of names) scratch.file(join('files', name), name)
    const kubo = (...args: string[]): Promise<string> =>
      run(findIpfsPeer('kubo')!, args, {
        env: cleanEnvironment(scratch.path, {
          IPFS_PATH: join(scratch.path, 'repository'),
          IPFS_TELEMETRY: 'off',
        }),
        cwd: scratch.path,
      })
    await kubo('init', '--empty-repo', '--profile=unixfs-v1-2025')
    const theirs = (await kubo('add', '--recursive', '--quieter', '--only-hash', 'files')).trim()
    expect(directoryOf(names).cid).toBe(theirs)
  },
)

test('a directory of ours is one for Kubo, with its sizes', { timeout: 120_000 }, async (context) => {
  requireIpfsPeer(context, 'kubo')
  await using kubo = await KuboNode.start()
  for (const names of [[], namesOf(3, 10), namesOf(4000, 90)]) {
    const { cid, size, blocks } = directoryOf(names)
    const files = names.map((name) => ({ cid: rawCid(sha256(Buffer.from(name))), bytes: Buffer.from(name) }))
    const frames = [...blocks, ...files].flatMap(({ cid: one, bytes }) => [
      carFrameHead(encodeCid(cidParts(one)), bytes.length),
      bytes,
    ])
    expect(await importCar(kubo, new Uint8Array(Buffer.concat([carHeader([cid]), ...frames])))).toEqual({
      [cid]: '',
    })
    const stat = JSON.parse(await kubo.call('files/stat', { arg: `/ipfs/${cid}` })) as Record<string, unknown>
    expect(stat).toMatchObject({ Type: 'directory', CumulativeSize: size })
    const listed = JSON.parse(
      await kubo.call('ls', { arg: cid, 'resolve-type': 'false', size: 'false' }),
    ) as {
      Objects: { Links: { Name: string }[] }[]
    }
    expect(listed.Objects[0]!.Links.map(({ Name }) => Name).toSorted()).toEqual(names.toSorted())
  }
})
