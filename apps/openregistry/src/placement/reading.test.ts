import type { Registry } from '@openregistry/core'
import { parseRepositoryName, type Digest } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { pullContent, pushContent, randomContent } from '../testing/content.ts'
import { openSeveralBackends, type SeveralBackends } from '../testing/several-backends.ts'

const name = parseRepositoryName('me/app')
const other = parseRepositoryName('you/base')
const bytes = randomContent(3_000_000)

/** Content that lies in `disk` and in `open`. The one that is asked first is `disk`. */
async function twice(): Promise<SeveralBackends & { digest: Digest }> {
  const opened = await openSeveralBackends({ namespaces: { me: 'disk' } })
  const digest = await pushContent(opened.registry, name, bytes)
  await pushContent(opened.registry, other, bytes)
  return { ...opened, digest }
}

const pull = (registry: Registry, digest: Digest, range?: string) =>
  pullContent(registry, name, digest, range)

test('a backend that is away is passed over, and nothing is said against its object', async () => {
  await using opened = await twice()
  const { registry, store, metadata, digest } = opened
  store.disk.faults.away = true
  expect(await pull(registry, digest)).toStrictEqual(bytes)
  expect(await pull(registry, digest, 'bytes=1000-1999')).toStrictEqual(bytes.slice(1000, 2000))
  expect((await metadata.listDamage({ after: null, limit: 10 })).items).toStrictEqual([])
  store.open.faults.away = true
  await expect(pull(registry, digest)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  store.disk.faults.away = false
  expect(await pull(registry, digest)).toStrictEqual(bytes)
})

test('what is lost at one place is marked, and read at the other', async () => {
  await using opened = await twice()
  const { registry, store, metadata, digest } = opened
  store.disk.faults.lost = true
  expect(await pull(registry, digest)).toStrictEqual(bytes)
  expect((await metadata.listDamage({ after: null, limit: 10 })).items).toMatchObject([
    { state: 'missing', place: { backend: 'disk' }, served: true },
  ])
})

describe.each([true, false])('a read that ends on the way (from a trusted backend: %s)', (trusted) => {
  test.each(['failReadAt', 'endReadAt'] as const)('goes on at the other place (%s)', async (fault) => {
    await using opened = await twice()
    const { registry, store, digest } = opened
    Object.defineProperty(store.disk, 'trusted', { value: trusted })
    for (const at of [1, 65_536, 1_100_000, 2_999_999]) {
      store.disk.faults[fault] = at
      expect(await pull(registry, digest)).toStrictEqual(bytes)
      expect(await pull(registry, digest, `bytes=${at - 1}-`)).toStrictEqual(bytes.slice(at - 1))
    }
    store.open.faults.away = true
    const rest = pull(registry, digest)
    // Whoever counts the bytes of a trusted backend notices.
    if (trusted && fault === 'endReadAt') expect((await rest).length).toBeLessThan(bytes.length)
    else await expect(rest).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })
})

test.each([0, 1_100_000, 2_999_999])(
  'a wrong leaf is marked, and read at the other place (%d)',
  async (at) => {
    await using opened = await twice()
    const { registry, store, metadata, digest } = opened
    store.disk.faults.wrongByteAt = at
    expect(await pull(registry, digest)).toStrictEqual(bytes)
    expect((await metadata.listDamage({ after: null, limit: 10 })).items).toMatchObject([
      { state: 'damaged', place: { backend: 'disk' }, served: true },
    ])
  },
)
