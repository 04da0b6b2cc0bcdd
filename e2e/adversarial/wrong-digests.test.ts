import { contentOf, digestOf, imageManifest, descriptorOf, emptyJson } from '@openregistry/testkit'
import type { DigestAlgorithm } from '@openregistry/oci'
import { describe, expect, test } from 'vitest'
import { expectBlob, expectNoBlob, expectRefusal } from '../conformance/expectations.ts'
import { pushWays } from '../conformance/push-ways.ts'
import { UploadSession } from '../conformance/upload-session.ts'
import { useRegistry } from './local-registry.ts'

const registry = useRegistry()

/** Bytes of a row; of an object; of more pieces than one. */
const sizes = [1, 1000, 40_000, 2 * 1024 * 1024 + 5]

/** Runs something that must change nothing that is stored. */
async function storesNothing(act: () => Promise<void>): Promise<void> {
  const before = registry.stored.content()
  await act()
  expect(registry.stored.content()).toEqual(before)
  expect(registry.stored.strayObjects()).toEqual([])
}

describe.each(pushWays)('$name', ({ push }) => {
  const cases = sizes.flatMap((size) => [
    { size, algorithm: 'sha256' as DigestAlgorithm, hint: '' },
    { size, algorithm: 'sha512' as DigestAlgorithm, hint: '' },
    { size, algorithm: 'sha512' as DigestAlgorithm, hint: 'digest-algorithm=sha512' },
  ])

  test.each(cases)(
    '$size bytes with a wrong $algorithm digest ($hint)',
    async ({ size, algorithm, hint }) => {
      const repository = registry.repository()
      const bytes = registry.random.bytes(size)
      const wrong = digestOf(registry.random.bytes(8), algorithm)
      await storesNothing(async () => {
        expectRefusal(await push(repository, bytes, wrong, hint), 400, 'DIGEST_INVALID')
      })
      expect(registry.stored.hasBlob(digestOf(bytes))).toBe(false)
      for (const digest of [wrong, digestOf(bytes), digestOf(bytes, 'sha512')])
        await expectNoBlob(repository, digest)
      expect(registry.stored.openUploads(), 'the session has ended').toBe(0)
    },
  )

  test('a digest of bytes that are in another repository does not bring them here', async () => {
    const [owner, thief] = [registry.repository(), registry.repository()]
    const secret = contentOf(registry.random.bytes(5000))
    await owner.pushBlob(secret)
    await storesNothing(async () => {
      const other = registry.random.bytes(5000)
      expectRefusal(await push(thief, other, secret.digest, ''), 400, 'DIGEST_INVALID')
    })
    await expectNoBlob(thief, secret.digest)
    await expectBlob(owner, secret)
  })
})

describe('A digest without its bytes', () => {
  test.each(['sha256', 'sha512'] as const)(
    '%s in a POST or a PUT without a body gets no blob',
    async (algorithm) => {
      const [owner, thief] = [registry.repository(), registry.repository()]
      const secret = contentOf(registry.random.bytes(5000), { algorithm })
      await owner.pushBlob(secret)
      await storesNothing(async () => {
        const posted = await thief.send(`blobs/uploads/?digest=${secret.digest}`, {
          method: 'POST',
          headers: { 'content-length': '0' },
        })
        expect(posted.status, 'a session, as without a digest').toBe(202)
        const upload = new UploadSession(registry.http, posted)
        expectRefusal(await upload.finish(secret.digest), 400, 'DIGEST_INVALID')
      })
      await expectNoBlob(thief, secret.digest)
    },
  )

  test('mounting a digest that the source does not have opens a session that takes no other bytes', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    await source.pushBlob(contentOf(registry.random.bytes(100)))
    const digest = digestOf(registry.random.bytes(8))
    await storesNothing(async () => {
      for (const query of [`mount=${digest}&from=${source.name}`, `mount=${digest}`]) {
        const response = await target.send(`blobs/uploads/?${query}`, { method: 'POST' })
        expect(response.status).toBe(202)
        const upload = new UploadSession(registry.http, response)
        const wrong = await upload.finish(digest, { body: registry.random.bytes(100) })
        expectRefusal(wrong, 400, 'DIGEST_INVALID')
      }
    })
    await expectNoBlob(target, digest)
  })
})

describe('Manifests', () => {
  test.each(['sha256', 'sha512'] as const)('a wrong %s digest', async (algorithm) => {
    const repository = registry.repository()
    await repository.pushBlob(emptyJson)
    const manifest = imageManifest({ config: descriptorOf(emptyJson), layers: [], algorithm })
    const wrong = digestOf(registry.random.bytes(8), algorithm)
    await storesNothing(async () => {
      expectRefusal(await repository.sendManifest(manifest, `${wrong}?tag=a&tag=b`), 400, 'DIGEST_INVALID')
    })
    for (const reference of [wrong, manifest.digest, 'a', 'b']) {
      expect((await repository.pullManifest(reference)).status).toBe(404)
    }
  })
})
