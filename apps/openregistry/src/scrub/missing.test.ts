import { compareListings, createRegistry, Pace, scrubJob, verifyStored, type Ports } from '@openregistry/core'
import { parseRepositoryName } from '@openregistry/oci'
import { expect, test } from 'vitest'
import { pushContent, randomContent } from '../testing/content.ts'
import { interleavedPorts } from '../testing/interleaved-ports.ts'
import { later } from '../testing/later.ts'

const repository = parseRepositoryName('me/app')

/** A registry with some objects, of which the backend has lost the first ones. */
async function openLossy(objects: number, lost: number) {
  const opened = await interleavedPorts(() => Promise.resolve())
  const registry = createRegistry(opened.ports)
  for (let n = 0; n < objects; n++) await pushContent(registry, repository, randomContent(20_000))
  const keys = await Array.fromAsync(opened.store.list(''))
  for (const key of keys.slice(0, lost)) await opened.store.delete(key)
  return opened
}

/** Everything is due. */
const always = Number.MAX_SAFE_INTEGER

const byList = (ports: Ports, acceptMissing: boolean) =>
  compareListings(ports, {
    ...{ listedBefore: always, age: 0, confirmed: false, most: 256, acceptMissing, observer: {} },
    // A part that was given up is not claimed for long.
    lease: 0,
  })

const byReading = async (ports: Ports, acceptMissing: boolean) =>
  verifyStored(ports, {
    ...{ verifiedBefore: await later(ports), pace: new Pace(0), repository: null, most: null },
    ...{ acceptMissing, observer: {} },
  })

async function damagedOf({ metadata }: Ports): Promise<number> {
  return (await metadata.listDamage({ after: null, limit: 1000 })).items.length
}

const ways: [string, (ports: Ports, acceptMissing: boolean) => Promise<unknown>][] = [
  ['the list', byList],
  ['reading', byReading],
]

test.each(ways)('by %s: few missing objects are marked', async (_way, look) => {
  await using opened = await openLossy(120, 10)
  await look(opened.ports, false)
  expect(await damagedOf(opened.ports)).toBe(10)
})

test.each(ways)('by %s: of very few objects all may be missing', async (_way, look) => {
  await using opened = await openLossy(3, 3)
  await look(opened.ports, false)
  expect(await damagedOf(opened.ports)).toBe(3)
})

test.each(ways)('by %s: more than a tenth is marked only when somebody says so', async (_way, look) => {
  await using opened = await openLossy(60, 30)
  await expect(look(opened.ports, false)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringMatching(/^30 of 60 objects .* none was marked: .*--accept-missing/) as string,
  })
  expect(await damagedOf(opened.ports)).toBe(0)
  await look(opened.ports, true)
  expect(await damagedOf(opened.ports)).toBe(30)
  // They are known now, and in nobody's way.
  await look(opened.ports, false)
})

test('the job in the background stops, and says why', async () => {
  await using opened = await openLossy(40, 40)
  const due = await later(opened.ports)
  const metadata = new Proxy(opened.ports.metadata, {
    get(target, name) {
      if (name !== 'databaseTime') return Reflect.get(target, name) as unknown
      return () => Promise.resolve(due + 5000)
    },
  })
  const job = scrubJob({ ...opened.ports, metadata }, { rate: 0, interval: 5000 })
  const run = job.run({ payload: '', signal: new AbortController().signal })
  await expect(run).rejects.toThrow(/40 of 40 objects/)
  expect(await damagedOf(opened.ports)).toBe(0)
})
