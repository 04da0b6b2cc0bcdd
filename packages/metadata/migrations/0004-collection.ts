import type { Migration } from './index.ts'

/** What the collector works from, besides the links themselves. */
export const collection: Migration = {
  version: 4,
  name: 'collection',
  statements: ({ text, integer, identityOnce, table }) => [
    // Blobs that lost a link or a manifest, each time anew: whether anything is left is asked when their turn comes. No
    // key to `blobs`, so that writing here waits for nobody.
    `CREATE TABLE blob_candidates (
      id ${identityOnce},
      blob_id ${integer} NOT NULL
    )${table}`,
    // Deleted manifests, in the order in which their time of grace ends.
    `CREATE INDEX manifests_deleted ON manifests (deleted_at) WHERE deleted_at IS NOT NULL`,
    // Deleted repositories that still hold something.
    `ALTER TABLE repositories ADD COLUMN deleted_by ${text}`,
    `ALTER TABLE repositories ADD COLUMN emptied_at ${integer}`,
    `CREATE INDEX repositories_to_empty ON repositories (deleted_at)
      WHERE deleted_at IS NOT NULL AND emptied_at IS NULL`,
    // Whether a repository is public is asked of the repository alone: changing that must not touch its links.
    `DROP INDEX repository_blobs_public`,
    `DROP VIEW live_links`,
    `ALTER TABLE repository_blobs DROP COLUMN public`,
    `CREATE VIEW live_links AS SELECT * FROM repository_blobs WHERE hidden_at IS NULL`,
  ],
}
