import type { NameRenewal } from '@openregistry/core'
import type { Query } from '../sql/query.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * Has the name of a repository lead to the directory that is stored, for some time from now on.
 *
 * Of everything that a name has led to, the newest has the largest number, and no number is ever given twice: it is the time
 * of the database, or the number before and one where that is larger. So it goes on in a restored database, too.
 */
export function renewName(
  sql: Sql,
  repositoryId: string,
  { publicKey, lifetime, before }: NameRenewal,
): Query {
  return sql`
    UPDATE directories SET
      sequence = CASE
        WHEN named_root = root AND public_key = ${publicKey} THEN sequence
        WHEN sequence < ${sql.now} THEN ${sql.now} ELSE sequence + 1 END,
      named_root = root, public_key = ${publicKey}, valid_until = ${sql.now} + ${lifetime}
    WHERE repository_id = ${repositoryId}
      AND (named_root IS NULL OR named_root <> root OR public_key <> ${publicKey}
        OR valid_until < ${sql.now} + ${before})`
}
