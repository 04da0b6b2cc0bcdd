import { describe, expect, test } from 'vitest'
import { newBackendIdentity } from '@openregistry/core'
import { backend, pushBlob } from './actions.ts'
import { hashedContent, newName, randomWord } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'

/** Which identity a backend must have. Tests keep apart by backends of their own. */
export function backendTieTests(open: OpenMetadataStore): void {
  const store = sharedStore(open)

  describe('the identity of a backend', () => {
    test('is what the first one said, until somebody replaces it', async () => {
      const [name, first, second] = [randomWord(), newBackendIdentity(), newBackendIdentity()]
      expect(await store().findBackendIdentity(name)).toBeNull()
      expect(await store().tieBackend({ backend: name, identity: first })).toBe(first)
      expect(await store().tieBackend({ backend: name, identity: second })).toBe(first)
      expect(await store().findBackendIdentity(name)).toBe(first)
      await store().retieBackend({ backend: name, identity: second })
      expect(await store().findBackendIdentity(name)).toBe(second)
      expect(await store().findBackendIdentity(randomWord())).toBeNull()
    })

    test('can be noted where none was', async () => {
      const tie = { backend: randomWord(), identity: newBackendIdentity() }
      await store().retieBackend(tie)
      expect(await store().findBackendIdentity(tie.backend)).toBe(tie.identity)
    })

    test('is one, whoever says so at the same moment', async () => {
      const name = randomWord()
      const told = await Promise.all(
        Array.from({ length: 8 }, () =>
          store().tieBackend({ backend: name, identity: newBackendIdentity() }),
        ),
      )
      expect(new Set(told)).toStrictEqual(new Set([await store().findBackendIdentity(name)]))
    })
  })

  describe('namesObjects', () => {
    test('is about objects of this backend, good ones or not', async () => {
      const opened = await open()
      const inline = hashedContent('inline')
      await pushBlob(opened.store, newName(), inline, { stored: { kind: 'inline', bytes: inline.bytes } })
      expect(await opened.store.namesObjects(backend)).toBe(false)
      const { stored } = await pushBlob(opened.store, newName())
      expect(await opened.store.namesObjects(backend)).toBe(true)
      expect(await opened.store.namesObjects(randomWord())).toBe(false)
      if (stored.kind !== 'object') throw new Error('not an object')
      await opened.store.recordDamage({
        state: 'missing',
        at: { kind: 'object', backend, key: stored.key },
      })
      expect(await opened.store.namesObjects(backend)).toBe(true)
      await opened.close()
    })
  })
}
