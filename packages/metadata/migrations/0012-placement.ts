import type { Migration, SchemaWords } from './index.ts'

/** Several backends: which one a repository uses, and which one each of its links relies on. */
export const placement: Migration = {
  version: 12,
  name: 'placement',
  // Links that older programs write name the disk, wherever their bytes are: these stay as the last good ones, and the
  // next move puts it right.
  worksFrom: 5,
  statements: ({ text, integer, boolean, indexTable }: SchemaWords) => [
    // Null: as the configuration says. A confined repository has nothing in public backends, although it may be public.
    `DROP VIEW live_repositories`,
    `ALTER TABLE repositories ADD COLUMN backend ${text}`,
    `ALTER TABLE repositories ADD COLUMN confined ${boolean} NOT NULL DEFAULT FALSE`,
    `CREATE VIEW live_repositories AS SELECT * FROM repositories WHERE deleted_at IS NULL`,
    // The backend in which the repository has the bytes, or "inline". A location stays while a link relies on it.
    `DROP VIEW live_links`,
    `ALTER TABLE repository_blobs ADD COLUMN backend ${text} NOT NULL DEFAULT 'disk'`,
    `UPDATE repository_blobs SET backend = (
        SELECT min(l.backend) FROM blob_locations AS l
        WHERE l.blob_id = repository_blobs.blob_id AND l.backend <> 'inline')
      WHERE blob_id IN (
        SELECT l.blob_id FROM blob_locations AS l
        WHERE l.backend NOT IN ('disk', 'inline') AND NOT EXISTS (
          SELECT 1 FROM blob_locations AS d WHERE d.blob_id = l.blob_id AND d.backend = 'disk'))`,
    // When the repository sent the bytes itself; null when it was mounted, or is older than this column.
    `ALTER TABLE repository_blobs ADD COLUMN arrived_at ${integer}`,
    `CREATE VIEW live_links AS SELECT * FROM repository_blobs WHERE hidden_at IS NULL`,
    // With the backend, so that "does anybody rely on this location?" is answered by the index.
    `DROP INDEX repository_blobs_by_namespace`,
    `CREATE INDEX repository_blobs_by_namespace
      ON repository_blobs (blob_id, digest, namespace, hidden_at, backend)`,
    // The newest move of a repository to another backend.
    `CREATE TABLE moves (
      repository_id ${text} NOT NULL PRIMARY KEY REFERENCES repositories (id),
      backend ${text} NOT NULL,
      from_backend ${text},
      from_confined ${boolean} NOT NULL,
      requested_by ${text} NOT NULL,
      rate ${integer} NOT NULL,
      started_at ${integer} NOT NULL,
      ended_at ${integer},
      cancelled ${boolean} NOT NULL DEFAULT FALSE,
      error ${text},
      blobs_total ${integer},
      bytes_total ${integer},
      blobs_done ${integer} NOT NULL DEFAULT 0,
      bytes_done ${integer} NOT NULL DEFAULT 0,
      bytes_under_way ${integer} NOT NULL DEFAULT 0
    )${indexTable}`,
    // How far second copies are made, by the id of blobs.
    `CREATE TABLE replications (
      backend ${text} NOT NULL PRIMARY KEY,
      position ${integer} NOT NULL,
      begun_at ${integer} NOT NULL
    )${indexTable}`,
  ],
}
