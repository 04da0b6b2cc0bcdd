import type { RepositoryFacts } from '@openregistry/core'
import { first, run, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/** See `RestoreSteps.createRepository`. It is listed from the start, as it was before. */
export function* createRepository(sql: Sql, { id, name, visibility }: RepositoryFacts): Step<boolean> {
  yield* run(sql`
    INSERT INTO repositories (id, name, visibility, listed, created_at)
    VALUES (${id}, ${name}, ${visibility}, TRUE, ${sql.now})
    ON CONFLICT DO NOTHING`)
  const found = yield* first<{ id: string }>(sql`SELECT id FROM live_repositories WHERE name = ${name}`)
  return found?.id === id
}
