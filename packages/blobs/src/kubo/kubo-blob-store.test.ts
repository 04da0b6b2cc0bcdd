import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newBackendIdentity, type BlobStore, type Lists, type ListsUploads } from '@openregistry/core'
import {
  blobStoreContract,
  bytesOf,
  describeWithKubo,
  holds,
  newKey,
  reusing,
  uploadListingContract,
} from '@openregistry/testkit'
import { openKuboBlobStore } from './kubo-blob-store.ts'

const chunk = 256 * 1024

let spool: string
beforeAll(async () => {
  spool = await mkdtemp(join(tmpdir(), 'openregistry-spool-'))
})
afterAll(() => rm(spool, { recursive: true }))

let stores = 0

describeWithKubo('on a real node', (node) => {
  const open = async (): Promise<BlobStore & Lists & ListsUploads> =>
    openKuboBlobStore({ apiUrl: node().apiUrl, spool, registry: `registry-${stores++}` })
  blobStoreContract('kubo', open)
  uploadListingContract('kubo', open)

  test('localhost is as good a name of its gateway as any', async () => {
    const gatewayUrl = node().gatewayUrl.replace('127.0.0.1', 'localhost')
    await using store = openKuboBlobStore({ apiUrl: node().apiUrl, gatewayUrl, spool, registry: 'localhost' })
    const [key, bytes] = [newKey(), bytesOf(300_000)]
    await store.write(key, reusing(bytes, chunk))
    await store.check()
    expect(await holds(store, key, bytes)).toBe(true)
  })

  test('an identity that was claimed here is put back over another one, and no other is', async () => {
    const registry = 'claimed-twice'
    const [one, other] = [1, 2].map(() => openKuboBlobStore({ apiUrl: node().apiUrl, spool, registry }))
    const [first, second] = [newBackendIdentity(), newBackendIdentity()]
    await one!.claim(first)
    await other!.reclaim(second)
    await other!.concede?.(newBackendIdentity())
    expect(await one!.readIdentity()).toBe(second)
    await other!.concede?.(first)
    expect(await one!.readIdentity()).toBe(first)
    for (const store of [one!, other!]) await store[Symbol.asyncDispose]()
  })

  test('nothing is left in the spool', async () => {
    expect(await readdir(spool)).toEqual([])
  })
})

/** The calls that a store needs, and no other. */
const allowed = ['config', 'dag/import', 'pin'].map((call) => `/api/v0/${call}`)

describeWithKubo(
  'on a node that asks for credentials',
  (node) => {
    const openAs = (apiToken: string | null, gatewayUrl: string | null = null): BlobStore =>
      openKuboBlobStore({
        apiUrl: node().apiUrl,
        apiToken,
        gatewayUrl,
        spool,
        registry: `registry-${stores++}`,
      })

    test.each(['canary-token', 'bearer:canary-token', 'basic:registry:canary-password'])(
      'the calls that it allows are enough: %s',
      async (token) => {
        await using store = openAs(token)
        await store.check()
      },
    )

    test('a gateway that is named is not asked for', async () => {
      await using store = openAs('canary-gateway', node().gatewayUrl)
      await store.check()
      await using other = openAs('canary-gateway')
      await expect(other.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    })

    describe.each([null, 'canary-wrong', 'basic:registry:canary-wrong'])('with %s', (token) => {
      test('is refused, and no error tells what was tried', async () => {
        await using store = openAs(token)
        const error: unknown = await store.check().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause: { cause: { status: 403 } } })
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('canary')
      })
    })
  },
  {
    config: {
      'API.Authorizations': {
        bearer: { AuthSecret: 'bearer:canary-token', AllowedPaths: allowed },
        basic: { AuthSecret: 'basic:registry:canary-password', AllowedPaths: allowed },
        gateway: { AuthSecret: 'bearer:canary-gateway', AllowedPaths: allowed.slice(1) },
      },
    },
  },
)
