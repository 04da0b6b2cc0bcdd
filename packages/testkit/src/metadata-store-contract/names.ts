import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { HashedBlock, MetadataStore, NameRenewal } from '@openregistry/core'
import { diskAlone, openSession } from './actions.ts'
import { newName } from './content.ts'
import { sharedStore, type OpenMetadataStore } from './opened.ts'
import { settleAll } from './settling.ts'

const hour = 3_600_000
const newHash = (): Uint8Array => Uint8Array.from(randomBytes(32))

/** A public repository with a key, and what is done to its name. */
async function newNamed(store: MetadataStore) {
  const name = newName()
  await openSession(store, name, { defaultVisibility: 'public' })
  const { id: repositoryId } = (await store.findRepository(name))!
  const publicKey = newHash()
  const put = (root: Uint8Array, renewal: Partial<NameRenewal> | null = {}): Promise<void> => {
    const blocks: HashedBlock[] = [{ sha256: root, bytes: root }]
    const whole = renewal === null ? null : { publicKey, lifetime: 48 * hour, before: 24 * hour, ...renewal }
    return store.putDirectory({ repositoryId, root, blocks, keep: hour, name: whole })
  }
  return { name, repositoryId, publicKey, put }
}

/** Names of repositories in IPNS. */
export function nameTests(open: OpenMetadataStore): void {
  describe('names', () => {
    const store = sharedStore(open)

    test('lead to the newest directory, under a number that is larger each time', async () => {
      const { name, publicKey, put } = await newNamed(store())
      let before = 0
      for (const root of [newHash(), newHash(), newHash()]) {
        await put(root)
        const found = (await store().findPublicName(publicKey))!
        expect(found.repository).toStrictEqual(await store().findRepository(name))
        expect(found.root).toStrictEqual(root)
        expect(found.sequence).toBeGreaterThan(before)
        expect(found.validUntil - found.now).toBeGreaterThan(47 * hour)
        before = found.sequence
      }
      expect(before).toBeGreaterThan((await store().databaseTime()) - hour)
    })

    test('stay as they are when nothing changed and there is time', async () => {
      const { publicKey, put } = await newNamed(store())
      const root = newHash()
      await put(root)
      const first = (await store().findPublicName(publicKey))!
      await put(root)
      const again = (await store().findPublicName(publicKey))!
      expect({ ...again, now: 0 }).toStrictEqual({ ...first, now: 0 })
      await put(root, { lifetime: 100 * hour, before: 49 * hour })
      const renewed = (await store().findPublicName(publicKey))!
      expect(renewed.sequence).toBe(first.sequence)
      expect(renewed.validUntil).toBeGreaterThan(first.validUntil)
    })

    test('close with the next read, and go with their repository', async () => {
      const { name, publicKey, put } = await newNamed(store())
      await put(newHash())
      const { sequence } = (await store().findPublicName(publicKey))!
      await store().setVisibility(name, 'private', diskAlone)
      expect(await store().findPublicName(publicKey)).toBeNull()
      await settleAll(store())
      await store().setVisibility(name, 'public', diskAlone)
      expect(await store().findPublicName(publicKey)).toBeNull()
      await put(newHash())
      expect((await store().findPublicName(publicKey))!.sequence).toBeGreaterThan(sequence)
      await store().deleteRepository(name, 'user:ada')
      expect(await store().findPublicName(publicKey)).toBeNull()
    })

    test('are not believed when nobody renewed them in time', async () => {
      const { repositoryId, publicKey, put } = await newNamed(store())
      const root = newHash()
      await put(root, { lifetime: -1 })
      expect(await store().findPublicName(publicKey)).toBeNull()
      await store().renewNames([{ repositoryId, publicKey }], { lifetime: hour, before: 0 })
      expect((await store().findPublicName(publicKey))?.root).toStrictEqual(root)
    })

    test('are due when they have none, or little time', async () => {
      const [unnamed, old, fresh] = [
        await newNamed(store()),
        await newNamed(store()),
        await newNamed(store()),
      ]
      await unnamed.put(newHash(), null)
      await old.put(newHash(), { lifetime: 2 * hour })
      await fresh.put(newHash())
      const dueOf = async (limit: number): Promise<string[]> => {
        const mine = [unnamed, old, fresh].map(({ repositoryId }) => repositoryId)
        const due = await store().listDueNames(3 * hour, limit)
        return due.map(({ repositoryId }) => repositoryId).filter((id) => mine.includes(id))
      }
      expect(await dueOf(1000)).toStrictEqual([unnamed.repositoryId, old.repositoryId])
      const names = [old, unnamed, fresh].map(({ repositoryId, publicKey }) => ({ repositoryId, publicKey }))
      await store().renewNames(names, { lifetime: 48 * hour, before: 3 * hour })
      expect(await dueOf(1000)).toStrictEqual([])
      expect(await store().findPublicName(unnamed.publicKey)).not.toBeNull()
      expect((await store().findPublicName(old.publicKey))!.validUntil).toBeGreaterThan(
        (await store().databaseTime()) + 47 * hour,
      )
    })

    test('follow what a program has stored that does not know them', async () => {
      const { repositoryId, publicKey, put } = await newNamed(store())
      const [first, second] = [newHash(), newHash()]
      await put(first)
      const { sequence } = (await store().findPublicName(publicKey))!
      await put(second, null)
      expect(await store().findPublicName(publicKey)).toMatchObject({ root: first, sequence })
      await store().renewNames([{ repositoryId, publicKey }], { lifetime: hour, before: 0 })
      const found = (await store().findPublicName(publicKey))!
      expect(found.root).toStrictEqual(second)
      expect(found.sequence).toBeGreaterThan(sequence)
    })

    test('change with the key', async () => {
      const { publicKey, put } = await newNamed(store())
      const [root, other] = [newHash(), newHash()]
      await put(root)
      await put(root, { publicKey: other })
      expect(await store().findPublicName(publicKey)).toBeNull()
      expect((await store().findPublicName(other))?.root).toStrictEqual(root)
    })

    test('never say two things under one number, whoever renews them at once', async () => {
      const { repositoryId, publicKey, put } = await newNamed(store())
      const roots = Array.from({ length: 8 }, newHash)
      const said = new Map<number, string>()
      const look = async (): Promise<void> => {
        const found = await store().findPublicName(publicKey)
        if (found === null) return
        const root = found.root.toHex()
        expect(said.get(found.sequence) ?? root).toBe(root)
        said.set(found.sequence, root)
      }
      const renew = () => store().renewNames([{ repositoryId, publicKey }], { lifetime: hour, before: hour })
      await Promise.all(roots.flatMap((root) => [put(root), look(), renew(), look()]))
      await look()
      const { sequence } = (await store().findPublicName(publicKey))!
      expect(Math.max(...said.keys())).toBe(sequence)
    })
  })
}
