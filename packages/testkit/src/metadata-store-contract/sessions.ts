import { describe, expect, test } from 'vitest'
import { newUploadId } from '@openregistry/core'
import { hour, openSession, partAt, pendingKeys, refused } from './actions.ts'
import { hashedContent, newName } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Upload sessions and their parts. */
export function sessionTests(open: OpenMetadataStore): void {
  describe('openUpload', () => {
    const store = sharedStore(open)

    test('creates the repository with the default visibility', async () => {
      const name = newName()
      expect(await store().findRepository(name)).toBeNull()
      const session = await openSession(store(), name, { defaultVisibility: 'public' })
      expect(session.repository).toStrictEqual(await store().findRepository(name))
      expect(session.repository).toMatchObject({ name, visibility: 'public' })
    })

    test('leaves an existing repository as it is', async () => {
      const name = newName()
      const first = await openSession(store(), name, { defaultVisibility: 'public' })
      const second = await openSession(store(), name, { defaultVisibility: 'private' })
      expect(second.repository).toStrictEqual(first.repository)
    })

    test('makes a session that findUpload gives back', async () => {
      const name = newName()
      const session = await openSession(store(), name, { algorithm: 'sha512', principal: 'user:bob' })
      expect(session).toMatchObject({
        principal: 'user:bob',
        backend: 'disk',
        algorithm: 'sha512',
        offset: 0,
      })
      expect(await store().findUpload(name, session.id)).toStrictEqual({
        ...session,
        age: expect.any(Number) as number,
      })
    })

    test('limits the open sessions of one repository', async () => {
      const [name, other] = [newName(), newName()]
      const first = await openSession(store(), name, { limit: 2 })
      await openSession(store(), name, { limit: 2 })
      await refused(openSession(store(), name, { limit: 2 }), 'TOOMANYREQUESTS')
      await openSession(store(), other, { limit: 2 })
      await openSession(store(), name, { limit: 0 })
      await store().cancelUpload(name, first.id)
      await refused(openSession(store(), name, { limit: 2 }), 'TOOMANYREQUESTS')
      await openSession(store(), name, { limit: 3 })
    })

    test('does not count sessions whose time is over', async () => {
      const name = newName()
      await openSession(store(), name, { lifetime: 0 })
      await openSession(store(), name, { limit: 1 })
      await refused(openSession(store(), name, { limit: 1 }), 'TOOMANYREQUESTS')
    })
  })

  describe('findUpload and listParts', () => {
    const store = sharedStore(open)

    test('know no session of another repository, unknown, cancelled or expired', async () => {
      const [name, other] = [newName(), newName()]
      const session = await openSession(store(), name)
      await openSession(store(), other)
      expect(await store().findUpload(other, session.id)).toBeNull()
      expect(await store().findUpload(newName(), session.id)).toBeNull()
      expect(await store().findUpload(name, newUploadId())).toBeNull()
      const expired = await openSession(store(), name, { lifetime: 0 })
      expect(await store().findUpload(name, expired.id)).toBeNull()
      await store().addPart({
        upload: session.id,
        part: partAt(session.id, 0, hashedContent()),
        lifetime: hour,
      })
      expect(await store().listParts(session.id)).toHaveLength(1)
      await store().cancelUpload(name, session.id)
      expect(await store().findUpload(name, session.id)).toBeNull()
      expect(await store().listParts(session.id)).toStrictEqual([])
      expect(await store().listParts(newUploadId())).toStrictEqual([])
    })
  })

  partTests(open)
  renewTests(open)
  cancelTests(open)
}

function partTests(open: OpenMetadataStore): void {
  describe('addPart', () => {
    const store = sharedStore(open)

    test('keeps parts as they are given, in order', async () => {
      const name = newName()
      const { id } = await openSession(store(), name)
      const contents = [hashedContent('first'), hashedContent('the second'), hashedContent('3rd')]
      const parts = [
        partAt(id, 0, contents[0]!, 'inline'),
        partAt(id, 5, contents[1]!, 'object'),
        partAt(id, 15, contents[2]!, 'inline'),
      ]
      for (const [index, part] of parts.entries()) {
        expect(await store().addPart({ upload: id, part, lifetime: hour })).toBe([5, 15, 18][index])
      }
      expect(await store().findUpload(name, id)).toMatchObject({ offset: 18 })
      expect(await store().listParts(id)).toStrictEqual(parts)
    })

    test('gives parts from a byte on, and not all at once', async () => {
      const { id } = await openSession(store(), newName())
      const parts = Array.from({ length: 7 }, (_, n) => partAt(id, 5 * n, hashedContent(`part${n}`)))
      for (const part of parts) await store().addPart({ upload: id, part, lifetime: hour })
      expect(await store().listParts(id, { limit: 3 })).toStrictEqual(parts.slice(0, 3))
      expect(await store().listParts(id, { from: 15, limit: 3 })).toStrictEqual(parts.slice(3, 6))
      expect(await store().listParts(id, { from: 26 })).toStrictEqual(parts.slice(6))
      expect(await store().listParts(id, { from: 35 })).toStrictEqual([])
    })

    test('keeps the sha512 of the first part and takes views of larger buffers', async () => {
      const { id } = await openSession(store(), newName())
      const buffer = new Uint8Array(new SharedArrayBuffer(1000)).fill(7)
      const part = partAt(id, 0, hashedContent(buffer.slice(100, 200)), 'inline')
      const hashes = { ...part.hashes!, sha512: buffer.subarray(300, 364) }
      const added = store().addPart({
        upload: id,
        part: { ...part, hashes, stored: { kind: 'inline', bytes: buffer.subarray(100, 200) } },
        lifetime: hour,
      })
      buffer.fill(0)
      await added
      const [stored] = await store().listParts(id)
      expect(stored).toStrictEqual({
        ...part,
        hashes: { ...part.hashes!, sha512: new Uint8Array(64).fill(7) },
      })
    })

    test('takes a part only where the session stands', async () => {
      const name = newName()
      const { id } = await openSession(store(), name)
      await store().addPart({ upload: id, part: partAt(id, 0, hashedContent('12345')), lifetime: hour })
      for (const offset of [0, 4, 6]) {
        const error = await refused(
          store().addPart({ upload: id, part: partAt(id, offset, hashedContent()), lifetime: hour }),
          'UPLOAD_OFFSET_MISMATCH',
        )
        expect(error.detail).toMatchObject({ offset: 5 })
      }
      expect(await store().listParts(id)).toHaveLength(1)
      expect(await store().findUpload(name, id)).toMatchObject({ offset: 5 })
    })

    test('of writers at the same place one wins', async () => {
      const { id } = await openSession(store(), newName())
      const parts = Array.from({ length: 8 }, () => partAt(id, 0, hashedContent()))
      const results = await Promise.allSettled(
        parts.map((part) => store().addPart({ upload: id, part, lifetime: hour })),
      )
      const winners = parts.filter((_, index) => results[index]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      expect(await store().listParts(id)).toStrictEqual(winners)
    })

    test('moves the expiry', async () => {
      const name = newName()
      const { id, expiresAt } = await openSession(store(), name)
      await store().addPart({ upload: id, part: partAt(id, 0, hashedContent()), lifetime: 2 * hour })
      const moved = await store().findUpload(name, id)
      expect(moved?.expiresAt).toBeGreaterThanOrEqual(expiresAt + hour)
      await store().addPart({ upload: id, part: partAt(id, moved!.offset, hashedContent()), lifetime: 0 })
      expect(await store().findUpload(name, id)).toBeNull()
    })

    test('knows no unknown, cancelled or expired session', async () => {
      const name = newName()
      const [cancelled, expired] = [
        await openSession(store(), name),
        await openSession(store(), name, { lifetime: 0 }),
      ]
      await store().cancelUpload(name, cancelled.id)
      for (const upload of [cancelled.id, expired.id, newUploadId()]) {
        const part = partAt(upload, 0, hashedContent())
        await refused(store().addPart({ upload, part, lifetime: hour }), 'BLOB_UPLOAD_UNKNOWN')
      }
    })
  })
}

function renewTests(open: OpenMetadataStore): void {
  describe('renewUpload', () => {
    const store = sharedStore(open)

    test('gives an open session more time, from now', async () => {
      const name = newName()
      const { id, expiresAt } = await openSession(store(), name)
      expect(await store().renewUpload(id, 2 * hour)).toBe(true)
      expect((await store().findUpload(name, id))?.expiresAt).toBeGreaterThanOrEqual(expiresAt + hour)
      expect((await store().findUpload(name, id))?.offset).toBe(0)
    })

    test('is false for an unknown, cancelled or expired one, and revives none', async () => {
      const name = newName()
      const [cancelled, expired] = [
        await openSession(store(), name),
        await openSession(store(), name, { lifetime: 0 }),
      ]
      await store().cancelUpload(name, cancelled.id)
      for (const id of [cancelled.id, expired.id, newUploadId()]) {
        expect(await store().renewUpload(id, hour)).toBe(false)
        expect(await store().findUpload(name, id)).toBeNull()
      }
    })
  })
}

function cancelTests(open: OpenMetadataStore): void {
  describe('cancelUpload', () => {
    const store = sharedStore(open)

    test('ends the session and gives its objects away', async () => {
      const name = newName()
      const { id } = await openSession(store(), name)
      const first = partAt(id, 0, hashedContent('abc'))
      const inline = partAt(id, 3, hashedContent('def'), 'inline')
      const last = partAt(id, 6, hashedContent('ghi'))
      for (const part of [first, inline, last]) await store().addPart({ upload: id, part, lifetime: hour })
      expect(await store().cancelUpload(name, id)).toBe(true)
      const keys = [first, last].map(({ stored }) => (stored.kind === 'object' ? stored.key : ''))
      expect((await pendingKeys(store())).filter((key) => key.startsWith(id)).sort()).toStrictEqual(
        keys.sort(),
      )
    })

    test('is false for what is not open in this repository', async () => {
      const [name, other] = [newName(), newName()]
      const { id } = await openSession(store(), name)
      const expired = await openSession(store(), name, { lifetime: 0 })
      await openSession(store(), other)
      expect(await store().cancelUpload(other, id)).toBe(false)
      expect(await store().cancelUpload(newName(), id)).toBe(false)
      expect(await store().cancelUpload(name, newUploadId())).toBe(false)
      expect(await store().cancelUpload(name, expired.id)).toBe(false)
      expect(await store().cancelUpload(name, id)).toBe(true)
      expect(await store().cancelUpload(name, id)).toBe(false)
    })
  })
}
