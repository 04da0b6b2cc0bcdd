import type { Migration, SchemaWords } from './index.ts'

/** What is to be found by the hash of a block, and only where everybody may see it. */
export const publicContent: Migration = {
  version: 7,
  name: 'public-content',
  // Older programs note nothing here: what they push into private repositories is looked at once more, and what they make
  // public is found when a newer one does so again.
  worksFrom: 5,
  statements: (words) => [...hints(words), ...layouts(words), ...directories(words)],
}

/**
 * Who looks for public content need not look into repositories that are known to be private, however many there are.
 * Whether one is public is still asked of the repository alone. When that changes, its rows follow in small steps, and
 * until they have all followed the repository is looked into by itself.
 */
function hints({ text, boolean, identityOnce, table }: SchemaWords): string[] {
  return [
    `ALTER TABLE repository_blobs ADD COLUMN known_private ${boolean} NOT NULL DEFAULT FALSE`,
    `ALTER TABLE manifests ADD COLUMN known_private ${boolean} NOT NULL DEFAULT FALSE`,
    `CREATE INDEX repository_blobs_perhaps_public ON repository_blobs (blob_id, repository_id)
      WHERE hidden_at IS NULL AND NOT known_private`,
    `CREATE INDEX manifests_perhaps_public ON manifests (blob_id, repository_id)
      WHERE deleted_at IS NULL AND NOT known_private`,
    `ALTER TABLE repositories ADD COLUMN unsettled ${boolean} NOT NULL DEFAULT FALSE`,
    `CREATE INDEX repositories_unsettled ON repositories (id) WHERE deleted_at IS NULL AND unsettled`,
    `UPDATE repositories SET unsettled = TRUE WHERE deleted_at IS NULL AND visibility = 'private'`,
    // Repositories whose tags changed, each time anew: what became of them is asked when their turn comes.
    `CREATE TABLE tag_changes (
      id ${identityOnce},
      repository_id ${text} NOT NULL
    )${table}`,
    `INSERT INTO tag_changes (repository_id)
      SELECT id FROM repositories WHERE deleted_at IS NULL AND visibility = 'public'`,
  ]
}

function layouts({ bytes, integer, boolean, table }: SchemaWords): string[] {
  return [
    // The image layout of a manifest in its repository: the hash of its root, and the bytes of its directories. No root: the
    // image was not whole when it was looked at. Blocks are there only where they may be seen (`stored`). All of it follows
    // from the manifest and goes with it, whoever deletes that; its number may come back.
    `CREATE TABLE layouts (
      manifest_id ${integer} NOT NULL PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
      root ${bytes},
      size ${integer} NOT NULL,
      stored ${boolean} NOT NULL,
      computed_at ${integer} NOT NULL
    )${table}`,
    `CREATE TABLE layout_blocks (
      sha256 ${bytes} NOT NULL,
      manifest_id ${integer} NOT NULL REFERENCES layouts (manifest_id) ON DELETE CASCADE,
      bytes ${bytes} NOT NULL,
      PRIMARY KEY (sha256, manifest_id)
    )${table}`,
    `CREATE INDEX layout_blocks_by_manifest ON layout_blocks (manifest_id)`,
  ]
}

function directories({ text, bytes, integer, table, indexTable }: SchemaWords): string[] {
  return [
    // Of a public repository: the directory of its tags. Blocks of an older one stay for a while.
    `CREATE TABLE directories (
      repository_id ${text} NOT NULL PRIMARY KEY REFERENCES repositories (id),
      root ${bytes} NOT NULL
    )${indexTable}`,
    `CREATE TABLE directory_blocks (
      sha256 ${bytes} NOT NULL,
      repository_id ${text} NOT NULL REFERENCES directories (repository_id) ON DELETE CASCADE,
      bytes ${bytes} NOT NULL,
      superseded_at ${integer},
      PRIMARY KEY (sha256, repository_id)
    )${table}`,
    `CREATE INDEX directory_blocks_by_repository ON directory_blocks (repository_id, superseded_at)`,
  ]
}
