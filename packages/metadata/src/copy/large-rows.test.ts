import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { describeWithPostgres } from '@openregistry/testkit'
import { settingsFor } from '../postgres/test-settings.ts'
import { migrateSqlite } from '../sqlite/open.ts'
import { temporaryFolder } from '../sqlite/temporary-folder.ts'
import { copyToPostgres } from './copy-to-postgres.ts'
import { CopyTarget } from './target.ts'
import { batchLimits, weightOf } from './values.ts'

const MiB = 1024 * 1024

/** Blobs with so many bytes in the database, as large manifests are, and as many of leaf hashes, as huge layers have. */
function fill(file: string, sizes: readonly number[]): void {
  using database = new DatabaseSync(file)
  const blob = database.prepare(
    `INSERT INTO blobs (id, sha256, size, cid, created_at, leaves) VALUES (?, ?, ?, ?, 0, ?)`,
  )
  const location = database.prepare(
    `INSERT INTO blob_locations (blob_id, backend, state, verified_at, bytes) VALUES (?, 'inline', 'good', 0, ?)`,
  )
  database.exec('BEGIN')
  for (const [index, size] of sizes.entries()) {
    const [id, bytes] = [index + 1, randomBytes(size)]
    blob.run(id, `sha256:${id}`, size, `cid${id}`, bytes)
    location.run(id, bytes)
  }
  database.exec('COMMIT')
}

describeWithPostgres('copying large rows', (cluster) => {
  test('has few of them in memory at once, when it compares them too', async () => {
    await using folder = await temporaryFolder()
    await migrateSqlite(folder.file)
    const large = Array.from({ length: 10 }, () => MiB)
    const small = Array.from({ length: 1100 }, () => 20)
    fill(folder.file, [...large, 6 * MiB, ...small])
    // Of each batch, what all its rows but the last weigh: with them alone there was room for one more.
    const weights: number[] = []
    let rows = 0
    const { rowsAfter } = CopyTarget.prototype
    CopyTarget.prototype.rowsAfter = async function (table, after) {
      const batch = await rowsAfter.call(this, table, after)
      if (table.name === 'blob_locations') rows += batch.length
      weights.push(batch.slice(0, -1).reduce((sum, row) => sum + weightOf(row), 0))
      return batch
    }
    try {
      await copyToPostgres(folder.file, settingsFor(await cluster().createDatabase()))
    } finally {
      CopyTarget.prototype.rowsAfter = rowsAfter
    }
    expect(rows).toBe(large.length + 1 + small.length)
    expect(Math.max(...weights)).toBeGreaterThan(2 * MiB)
    expect(Math.max(...weights)).toBeLessThan(batchLimits.bytes)
  })
})
