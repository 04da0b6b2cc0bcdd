import { createHash, sign } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Ports } from '@openregistry/core'
import { readCar, type Cid } from '@openregistry/dag'
import { createSeal, earlierBlocks, findBlockOf, restoreSnapshot, writeSnapshot } from '@openregistry/ipfs'
import { parseRepositoryName, type RepositoryName } from '@openregistry/oci'
import { loadConfig, type Config } from '@openregistry/server/config'
import { keysOf, sealPurpose, snapshotPurpose } from '@openregistry/server/keys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseSnapshot } from '../restore/choose-snapshot.ts'
import { interleavedPorts } from '../testing/interleaved-ports.ts'
import { pushInto } from '../testing/push-into.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { CarFile } from './car-file.ts'
import { CarWriter } from './car-writer.ts'
import { openEarlier } from './earlier-snapshots.ts'

const keys = keysOf(new Uint8Array(32).fill(7))
const { privateKey, publicKey } = keys.signingKey(snapshotPurpose)
const never = new AbortController().signal
const names = ['me/app', 'me/tool', 'team/web'].map(parseRepositoryName)

/** Nothing happens to this one, so no snapshot is empty. */
const kept = parseRepositoryName('me/kept')

/** Something that happens to a registry between two snapshots. */
type Change =
  | { kind: 'push'; name: RepositoryName; tag: string; layer: number; size: number }
  | { kind: 'untag'; name: RepositoryName; tag: string }
  | { kind: 'hide' | 'show' | 'delete'; name: RepositoryName }

const name = fc.constantFrom(...names)
const tag = fc.constantFrom('v1', 'v2', 'latest')
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      ...{ name, tag },
      layer: fc.nat(4),
      // Inline, an object of one leaf, and one with a node above its leaves.
      size: fc.constantFrom(10, 20_000, 1_100_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('untag' as const), name, tag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('hide', 'show', 'delete'), name }) },
)

async function apply({ metadata, ...ports }: Ports, one: Change): Promise<void> {
  const rules = { backends: [ports.settings.backend], public: [], namespaces: {}, replicas: [] }
  switch (one.kind) {
    case 'push': {
      const seed = sha256(Buffer.from(`layer ${one.layer}`))
      await pushInto({ metadata, ...ports }, one.name, one.tag, Buffer.alloc(one.size, seed))
      return
    }
    case 'untag':
      return void (await metadata.deleteTag(one.name, one.tag as never, 'operator'))
    case 'delete':
      return void (await metadata.deleteRepository(one.name, 'operator'))
    case 'hide':
    case 'show':
      await metadata.setVisibility(one.name, one.kind === 'hide' ? 'private' : 'public', rules)
  }
}

/** How the snapshots of a run are written. */
interface Way {
  all: boolean
  blobs: boolean
}

async function write(ports: Ports, config: Config, file: string, since: readonly string[], way: Way) {
  await using opened = new AsyncDisposableStack()
  const seal = way.all ? createSeal(keys.derive(sealPurpose)) : null
  const earlier = await openEarlier(since, { config, keys, seal, opened })
  const car = opened.use(await CarWriter.create(file, earlier?.bases ?? []))
  const written = await writeSnapshot(ports, {
    ...{ scope: way.all ? 'all' : 'public', seal, withBlobs: way.blobs, publicKey },
    sign: (message) => sign(null, message, privateKey),
    put: (block) => car.add(block),
    ...(earlier === null ? {} : { earlier: earlier.blocks }),
  })
  await car.finish(written.root)
  return written
}

/** Everything of a registry that a snapshot has. */
async function contentOf({ metadata }: Ports) {
  const page = { after: null, limit: 1000 }
  const { items } = await metadata.listRepositories({ kind: 'all' }, page)
  const digests = async (name: RepositoryName, kind: 'blobs' | 'manifests') =>
    (await metadata.listRepositoryContent(name, kind, page))?.items.map(({ digest }) => digest)
  return Promise.all(
    items.map(async (repository) => ({
      ...repository,
      tags: (await metadata.listTags(repository.name, page))?.page.items.map(({ tag, digest }) => [
        tag,
        digest,
      ]),
      manifests: await digests(repository.name, 'manifests'),
      blobs: await digests(repository.name, 'blobs'),
    })),
  )
}

async function restored(files: readonly string[], way: Way) {
  await using opened = new AsyncDisposableStack()
  const search = { keys, remote: [], named: undefined, signal: never, opened }
  const snapshot = await chooseSnapshot(
    files.map((path) => ({ kind: 'file', path }) as const),
    search,
  )
  await using target = await interleavedPorts(() => Promise.resolve())
  const { missing } = await restoreSnapshot(target.ports, snapshot, { signal: never })
  if (way.blobs) expect(missing).toBe(0)
  return { missing, content: await contentOf(target.ports) }
}

async function cidsIn(file: string): Promise<Cid[]> {
  const cids: Cid[] = []
  await using car = await readCar(createReadStream(file), { sha256 })
  for await (const { cid } of car.blocks) cids.push(cid)
  return cids
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

test('property: what is restored from a snapshot and all that is new since is what is restored from the whole', async () => {
  await using folder = await temporaryFolder()
  const config = await loadConfig({ env: {}, cwd: folder.path })
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 4 }), { minLength: 2, maxLength: 4 }),
      fc.constantFrom<Way>({ all: false, blobs: true }, { all: true, blobs: false }),
      fc.infiniteStream(fc.nat()),
      async (stages, way, random) => {
        const at = (file: string) => join(folder.path, `${run}-${file}.car`)
        run++
        await using source = await interleavedPorts(() => Promise.resolve())
        await pushInto(source.ports, kept, 'first', Buffer.alloc(1_100_000, run))
        const files: string[] = []
        for (const [index, stage] of stages.entries()) {
          for (const one of stage) await apply(source.ports, one)
          await write(source.ports, config, at(`${index}`), files, way)
          files.push(at(`${index}`))
        }
        const whole = await write(source.ports, config, at('whole'), [], way)
        const shuffled = files.toSorted(() => (random.next().value % 3) - 1)
        expect(await restored(shuffled, way)).toEqual(await restored([at('whole')], way))
        await expectNothingTwice(files, at('whole'), whole.root)
        if (!way.blobs) await expectWalked(at('whole'), whole.root)

        // One that is missing is named, whichever it is.
        const lost = random.next().value % files.length
        const left = shuffled.filter((file) => file !== files[lost])
        if (lost === files.length - 1) return
        await using gone = await CarFile.open(files[lost]!)
        await expect(restored(left, way)).rejects.toThrow(gone.root)
      },
    ),
    { numRuns: 6 },
  )
}, 120_000)

/** Each block but the root is in one of the CARs alone. */
async function expectNothingTwice(files: readonly string[], whole: string, root: Cid): Promise<void> {
  const all = await Promise.all(files.map(cidsIn))
  const shared = (await cidsIn(whole)).filter((cid) => cid !== root)
  expect(shared.length).toBeGreaterThan(2)
  for (const cid of shared) expect(all.filter((cids) => cids.includes(cid))).toHaveLength(1)
}

/** Who follows the links of a snapshot finds what its CAR has, without a key. */
async function expectWalked(file: string, root: Cid): Promise<void> {
  await using car = await CarFile.open(file)
  const walked = await earlierBlocks(root, (cid) => findBlockOf([car], cid), never)
  for (const cid of await cidsIn(file)) expect([walked.has(cid), walked.hasBelow(cid)]).toEqual([true, true])
}
