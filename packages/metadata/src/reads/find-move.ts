import type { Move, RepositoryFacts, Visibility } from '@openregistry/core'
import { moveJobName } from '@openregistry/core/placement'
import type { RepositoryName } from '@openregistry/oci'
import { moveOf, type MoveRow } from '../rows/move.ts'
import { first, type Step } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

interface Found extends Omit<MoveRow, 'backend'> {
  id: string
  visibility: Visibility
  placed: string | null
  /** Null when it was never moved. */
  backend: string | null
}

/** See `PlacementStore.findMove`. */
export function* findMove(
  sql: Sql,
  name: RepositoryName,
): Step<{ repository: RepositoryFacts; backend: string | null; move: Move | null } | null> {
  const row = yield* first<Found>(sql`
    SELECT r.id, r.visibility, r.backend AS placed, m.*, j.failed_at AS given_up
    FROM live_repositories AS r
    LEFT JOIN moves AS m ON m.repository_id = r.id
    LEFT JOIN jobs AS j ON j.kind = ${moveJobName} AND j.unique_key = r.id
    WHERE r.name = ${name}`)
  if (row === null) return null
  const { id, visibility, placed, backend } = row
  const move = backend === null ? null : moveOf({ ...row, backend })
  return { repository: { id, name, visibility }, backend: placed, move }
}
