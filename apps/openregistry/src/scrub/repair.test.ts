import {
  operator,
  repair,
  repairJob,
  type BlockSource,
  type DamagedLocation,
  type Repaired,
  type RepairOptions,
} from '@openregistry/core'
import { gatewaySource } from '@openregistry/ipfs'
import { parseManifest, parseReference, parseRepositoryName, type Digest } from '@openregistry/oci'
import { startBlockGateway } from '@openregistry/testkit'
import { expect, test } from 'vitest'
import { pullContent, pushContent, randomContent } from '../testing/content.ts'
import { crashAfter } from '../testing/crashing-ports.ts'
import { keysIn, unnamedIn } from '../testing/object-lists.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

const name = parseRepositoryName('me/app')
const other = parseRepositoryName('you/base')

/** Everything goes to the disk, and what is `you`'s into the vault. */
const open = () => openSeveralBackends({ backend: 'disk', namespaces: { you: 'vault' } })

/** Loses what the disk has, as far as anybody knows. */
async function lose({ store, metadata }: SeveralBackends): Promise<void> {
  for (const key of await keysIn(store.disk)) {
    await store.disk.delete(key)
    await metadata.recordDamage({ state: 'missing', at: { kind: 'object', backend: 'disk', key } })
  }
}

async function damageIn({ metadata }: SeveralBackends): Promise<DamagedLocation[]> {
  return (await metadata.listDamage({ after: null, limit: 100 })).items
}

async function expectServed(
  { registry, store }: SeveralBackends,
  digest: Digest,
  bytes: Uint8Array,
): Promise<void> {
  store.vault.faults.away = true
  expect(await pullContent(registry, name, digest)).toStrictEqual(bytes)
  store.vault.faults.away = false
}

test('what another place has is mended from there, by the background, too', async () => {
  await using opened = await open()
  const bytes = randomContent(1_500_000)
  const digest = await pushContent(opened.registry, name, bytes)
  await pushContent(opened.registry, other, bytes)
  await lose(opened)
  const { ports } = opened
  expect(await repair(ports)).toStrictEqual({
    repaired: [{ digest, size: bytes.length, backend: 'disk', from: 'another place here' }],
    remaining: [],
  })
  await expectServed(opened, digest, bytes)
  expect(await damageIn(opened)).toStrictEqual([])
  await lose(opened)
  const job = repairJob(ports)
  const run = { payload: '', signal: new AbortController().signal }
  expect(await job.run(run)).toStrictEqual({ repaired: 1, remaining: 0 })
  expect(await job.run(run)).toBeNull()
  await expectServed(opened, digest, bytes)
})

test('what nobody here has comes from a gateway, every block compared', async () => {
  await using opened = await open()
  const bytes = randomContent(5_300_000)
  await using gateway = await startBlockGateway(bytes)
  const digest = await pushContent(opened.registry, name, bytes)
  await lose(opened)
  const nobody = await repair(opened.ports)
  expect(nobody).toMatchObject({
    repaired: [],
    remaining: [{ digest, cause: expect.stringContaining('No other place') as string }],
  })
  const source = gatewaySource(gateway.address)
  expect(await repair(opened.ports, { sources: [source] })).toMatchObject({
    repaired: [{ digest, from: source.name }],
    remaining: [],
  })
  expect(gateway.asked).toHaveLength(6)
  await expectServed(opened, digest, bytes)
})

test.each(['wrong bytes', 'too few bytes', 'nothing', 'a status', 'too late'])(
  'a gateway that gives %s mends nothing, and the next one does',
  async (fault) => {
    await using opened = await open()
    const bytes = randomContent(3_000_000)
    const digest = await pushContent(opened.registry, name, bytes)
    await lose(opened)
    let calls = 0
    const bad: BlockSource = {
      name: 'bad.example',
      async block(_cid, size) {
        // The first block is right in no case, so that all of it could not be.
        if (++calls === 2) return null
        if (fault === 'nothing') return null
        if (fault === 'a status') throw new Error('it answers with status 500')
        if (fault === 'too late')
          throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
        return new Uint8Array(fault === 'wrong bytes' ? size : size - 1)
      },
    }
    const { remaining } = await repair(opened.ports, { sources: [bad] })
    expect(remaining).toMatchObject([{ digest, cause: expect.stringContaining('bad.example') as string }])
    expect(await keysIn(opened.store.disk)).toStrictEqual([])
    await using gateway = await startBlockGateway(bytes)
    const good = gatewaySource(gateway.address)
    expect((await repair(opened.ports, { sources: [bad, good] })).repaired).toMatchObject([
      { from: good.name },
    ])
    await expectServed(opened, digest, bytes)
  },
)

test('manifests and small blobs in the database are mended, too', async () => {
  await using opened = await open()
  const { registry, metadata, ports } = opened
  const small = randomContent(300)
  const digest = await pushContent(registry, name, small)
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: small.length }
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: [],
    }),
  )
  parseManifest(manifest, null)
  const reference = parseReference('v1')
  await registry.putManifest(operator, {
    repository: name,
    reference,
    tags: [],
    contentType: null,
    bytes: manifest,
  })
  const claim = 'claim'
  const verifiedBefore = (await metadata.databaseTime()) + 60_000
  const due = { claim, lease: 60_000, limit: 10, verifiedBefore, blobs: null }
  for (const { id } of await metadata.claimLocations(due))
    await metadata.recordDamage({ state: 'damaged', at: { kind: 'inline', location: id, claim } })
  await expect(
    registry.getManifest(operator, { repository: name, reference, bytes: true }),
  ).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  expect((await repair(ports)).remaining).toHaveLength(2)
  await using gateway = await startBlockGateway(small, manifest)
  const { repaired } = await repair(ports, { sources: [gatewaySource(gateway.address)] })
  expect(repaired.map(({ backend }) => backend)).toStrictEqual(['inline', 'inline'])
  expect(await pullContent(registry, name, digest)).toStrictEqual(small)
  const found = await registry.getManifest(operator, { repository: name, reference, bytes: true })
  expect(found.bytes).toStrictEqual(manifest)
})

test('only what a repository has, and nothing that nobody needs', async () => {
  await using opened = await open()
  const [mine, theirs] = [randomContent(20_000), randomContent(30_000)]
  const sibling = parseRepositoryName('me/other')
  await pushContent(opened.registry, name, mine)
  await pushContent(opened.registry, sibling, theirs)
  await lose(opened)
  await using gateway = await startBlockGateway(mine, theirs)
  const sources = [gatewaySource(gateway.address)]
  const of = (options: RepairOptions): Promise<Repaired> => repair(opened.ports, { sources, ...options })
  expect((await of({ repository: name })).repaired).toMatchObject([{ size: 20_000 }])
  await opened.registry.deleteRepository(operator, { repository: sibling })
  expect(await of({})).toStrictEqual({ repaired: [], remaining: [] })
  expect(await damageIn(opened)).toHaveLength(1)
})

test('stopped at any point it leaves nothing, and the next one mends it', async () => {
  await using opened = await open()
  for (let point = 1, killed = true; killed; point++) {
    const bytes = randomContent(20_000)
    const digest = await pushContent(opened.registry, name, bytes)
    if (point % 3 === 0) await pushContent(opened.registry, other, bytes)
    const before = await keysIn(opened.store.disk)
    const key = before.at(-1)!
    await opened.store.disk.delete(key)
    await opened.metadata.recordDamage({ state: 'missing', at: { kind: 'object', backend: 'disk', key } })
    const own: BlockSource = { name: 'own', block: async () => bytes }
    const crashing = crashAfter(opened.ports, point)
    await repair(crashing.ports, { sources: [own] }).catch((error: unknown) => {
      if (!crashing.crashed()) throw error
    })
    killed = crashing.crashed()
    await repair(opened.ports, { sources: [own] })
    await expectServed(opened, digest, bytes)
    if (!killed) expect(point).toBeGreaterThan(6)
  }
  expect(await unnamedIn(opened, 'disk')).toStrictEqual([])
})
