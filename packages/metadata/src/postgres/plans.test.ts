import type { MetadataStore } from '@openregistry/core'
import { describeWithPostgres, newName, pushManifest, hashedContent } from '@openregistry/testkit'
import type { Tag } from '@openregistry/oci'
import { expect, test, vi } from 'vitest'
import type { Query } from '../sql/query.ts'
import { Connection } from './connection.ts'
import { openPostgresMetadataStore } from './open.ts'
import { settingsFor } from './test-settings.ts'

const subject = hashedContent('subject').sha256
const latest = 'latest' as Tag

/** Asks for every list, on each way through it that has a statement of its own. */
async function listEverything(store: MetadataStore): Promise<void> {
  const name = newName()
  const page = { after: null, limit: 10 }
  await pushManifest(store, name, { subject, artifactType: 'application/x', tags: [latest] })
  await store.listTags(name, page)
  await store.listTagNames(name, page)
  await store.listTagHistory(name, null, page)
  await store.listTagHistory(name, latest, page)
  await store.listReferrers(name, subject, null, page)
  await store.listReferrers(name, subject, 'application/x', page)
  await store.listRepositories({ kind: 'all' }, page)
  await store.listRepositories({ kind: 'public' }, page)
}

describeWithPostgres('plans of PostgreSQL', (cluster) => {
  test('no list sorts all that could follow its page', async () => {
    const settings = settingsFor(await cluster().createDatabase())
    const queries = new Map<string, Query>()
    const original = Connection.prototype.all
    const spy = vi.spyOn(Connection.prototype, 'all').mockImplementation(function (this: Connection, query) {
      queries.set(query.text, query)
      return original.call(this, query)
    })
    await using store = await openPostgresMetadataStore({ ...settings, autoMigrate: true })
    await listEverything(store)
    spy.mockRestore()
    const lists = [...queries.values()].filter(
      ({ text }) => /\bLIMIT \$/.test(text) && !/FOR UPDATE/.test(text),
    )
    expect(lists.length).toBeGreaterThanOrEqual(8)
    const connection = await Connection.open(settings)
    try {
      // What is left of these with the price so high is what the statement cannot do without.
      for (const way of ['sort', 'seqscan', 'bitmapscan']) await connection.run(`SET enable_${way} = off`)
      for (const { text, values } of lists) {
        const plan = await connection.all({ text: `EXPLAIN ${text}`, values })
        const lines = plan.map((row) => String(row['QUERY PLAN']))
        expect(
          lines.filter((line) => /\bSort\b/.test(line)),
          `${lines.join('\n')}\n${text}`,
        ).toStrictEqual([])
      }
    } finally {
      await connection.close()
    }
  })
})
