import { createMemoryBlobStore } from '@openregistry/blobs'
import { lists, newStorageKey, newUploadId, type MetadataStore } from '@openregistry/core'
import { expect, test } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'
import { timedBlobStore, timedMetadataStore } from './timed-ports.ts'

async function counted(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const family = (await metrics.snapshot()).find((metric) => metric.name === name)
  const counts = family?.values.filter(({ metricName }) => metricName === `${name}_count`) ?? []
  return Object.fromEntries(counts.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

test('every operation of a database is measured, failures included', async () => {
  const metrics = createMetrics()
  let disposed = false
  const answers = {
    check: () => Promise.resolve(),
    findRepository: () => Promise.reject(new Error('away')),
    [Symbol.asyncDispose]: () => Promise.resolve(void (disposed = true)),
  }
  const store = timedMetadataStore(answers as unknown as MetadataStore, metrics)
  await store.check()
  await store.check()
  await expect(store.findRepository('a' as never)).rejects.toThrow('away')
  await store[Symbol.asyncDispose]()
  expect(disposed).toBe(true)
  expect(await counted(metrics, 'openregistry_db_query_duration_seconds')).toStrictEqual({
    check: 2,
    findRepository: 1,
  })
})

test('the operations of a backend are measured, and its other abilities stay', async () => {
  const metrics = createMetrics()
  await using store = timedBlobStore(createMemoryBlobStore(), metrics)
  const key = newStorageKey(newUploadId())
  await store.write(
    key,
    (async function* () {
      yield Uint8Array.of(1, 2, 3)
    })(),
  )
  expect(await store.stat(key)).toStrictEqual({ size: 3 })
  expect(await store.stat(newStorageKey(newUploadId()))).toBeNull()
  const found: string[] = []
  if (lists(store)) for await (const one of store.list('')) found.push(one)
  expect(found).toStrictEqual([key])
  const { backend } = store
  expect(await counted(metrics, 'openregistry_blob_store_operation_duration_seconds')).toStrictEqual({
    [`${backend} write`]: 1,
    [`${backend} stat`]: 2,
  })
})
