import type { DueRoot, Milliseconds } from '@openregistry/core'
import { run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `IpfsStore.postponeRoots`. */
export function* postponeRoots(sql: Sql, roots: readonly DueRoot['of'][], delay: Milliseconds): Step<void> {
  const layouts = roots.flatMap((of) => ('layout' in of ? [of.layout] : []))
  const directories = roots.flatMap((of) => ('directory' in of ? [of.directory] : []))
  if (layouts.length > 0) {
    yield* run(sql`
      UPDATE layouts SET announce_due_at = ${sql.now} + ${delay} WHERE manifest_id IN ${sql.integers(layouts)}`)
  }
  if (directories.length > 0) {
    yield* run(sql`
      UPDATE directories SET announce_due_at = ${sql.now} + ${delay}
      WHERE repository_id IN ${sql.texts(directories)}`)
  }
}
