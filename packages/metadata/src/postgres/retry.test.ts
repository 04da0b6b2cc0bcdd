import { beforeEach, expect, test } from 'vitest'
import type { MetadataStore } from '@openregistry/core'
import type { Tag } from '@openregistry/oci'
import {
  describeWithPostgres,
  manifestAt,
  manifestOf,
  newName,
  type DatabaseAddress,
} from '@openregistry/testkit'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

describeWithPostgres('steps that collide', (cluster) => {
  let address: DatabaseAddress
  const open = (): Promise<MetadataStore> =>
    openPostgresMetadataStore({ ...settingsFor(address), autoMigrate: true })

  /** Makes the next `times` changes of a tag fail like this. Sequences are not undone, so they count attempts. */
  async function collide(code: string, times: number): Promise<() => Promise<number>> {
    await cluster().sql(
      `CREATE SEQUENCE attempts;
       CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
           IF nextval('attempts') <= ${times} THEN RAISE EXCEPTION 'made up' USING ERRCODE = '${code}'; END IF;
           RETURN NEW;
         END $$;
       CREATE TRIGGER collide BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION collide()`,
      address.name,
    )
    return async () => Number(await cluster().sql('SELECT last_value FROM attempts', address.name))
  }

  beforeEach(async () => {
    address = await cluster().createDatabase()
  })

  const collisions = [
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
    ['a row that appeared meanwhile', '23505'],
    ['a row that went meanwhile', '23503'],
  ]

  test.each(collisions)('%s is tried again, and nobody notices', async (_what, code) => {
    await using store = await open()
    const attempts = await collide(code, 3)
    const name = newName()
    const manifest = manifestOf(name, { tags: ['latest'] as Tag[] })
    expect(await store.putManifest(manifest)).toStrictEqual({ missing: [] })
    expect((await manifestAt(store, name, 'latest'))?.digest).toBe(manifest.digest)
    expect(await attempts()).toBe(4)
  })

  test.each(collisions)('%s: a bounded number of times, and nothing is left of it', async (_what, code) => {
    await using store = await open()
    const attempts = await collide(code, 1000)
    const name = newName()
    await expect(store.putManifest(manifestOf(name, { tags: ['latest'] as Tag[] }))).rejects.toMatchObject({
      code: 'METADATA_UNAVAILABLE',
      message: 'Too many changes at once; try again.',
    })
    expect(await attempts()).toBe(8)
    expect(await store.findRepository(name)).toBeNull()
  })

  test('any other fault of a statement is told at once', async () => {
    await using store = await open()
    const attempts = await collide('22012', 1000)
    const push = store.putManifest(manifestOf(newName(), { tags: ['latest'] as Tag[] }))
    await expect(push).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await attempts()).toBe(1)
  })
})
