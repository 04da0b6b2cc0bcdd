import type { Migration } from './index.ts'

/** What the queue of jobs needs: one job under a key, leases that can be told apart, and an end to attempts. */
export const jobLeases: Migration = {
  version: 3,
  name: 'job-leases',
  statements: ({ text, integer, boolean }) => [
    `ALTER TABLE jobs ADD COLUMN unique_key ${text}`,
    `ALTER TABLE jobs ADD COLUMN lease_token ${text}`,
    // Asked for while it was being done: it is done once more.
    `ALTER TABLE jobs ADD COLUMN wanted_again ${boolean} NOT NULL DEFAULT FALSE`,
    `ALTER TABLE jobs ADD COLUMN last_error ${text}`,
    `ALTER TABLE jobs ADD COLUMN failed_at ${integer}`,
    `CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, unique_key) WHERE unique_key IS NOT NULL`,
    `DROP INDEX jobs_due`,
    `CREATE INDEX jobs_waiting ON jobs (run_after) WHERE failed_at IS NULL`,
  ],
}
