import type { Migration, SchemaWords } from './index.ts'

/** Repositories, content, manifests, tags, uploads and the queues. */
export const firstTables: Migration = {
  version: 1,
  name: 'first-tables',
  statements: (words) => [
    ...repositories(words),
    ...content(words),
    ...links(words),
    ...manifests(words),
    ...tags(words),
    ...uploads(words),
    ...queues(words),
  ],
}

function repositories({ text, integer, boolean, table }: SchemaWords): string[] {
  return [
    // A deleted repository keeps its row (its id must never come back); its name is free at once.
    `CREATE TABLE repositories (
      id ${text} NOT NULL PRIMARY KEY,
      name ${text} NOT NULL,
      visibility ${text} NOT NULL CHECK (visibility IN ('public', 'private')),
      description ${text},
      settings ${text},
      listed ${boolean} NOT NULL DEFAULT FALSE,
      created_at ${integer} NOT NULL,
      deleted_at ${integer}
    )${table}`,
    `CREATE UNIQUE INDEX repositories_by_name ON repositories (name) WHERE deleted_at IS NULL`,
    // The catalogue: whoever holds, or held, a manifest.
    `CREATE INDEX repositories_listed ON repositories (name) WHERE deleted_at IS NULL AND listed`,
    `CREATE INDEX repositories_listed_public ON repositories (name)
      WHERE deleted_at IS NULL AND listed AND visibility = 'public'`,
    `CREATE VIEW live_repositories AS SELECT * FROM repositories WHERE deleted_at IS NULL`,
  ]
}

function content({ text, bytes, integer, identity, table, indexTable }: SchemaWords): string[] {
  return [
    // The packed leaf hashes come last: reads of the other columns do not touch the pages that they overflow to.
    `CREATE TABLE blobs (
      id ${identity},
      sha256 ${text} NOT NULL UNIQUE,
      sha512 ${text} UNIQUE,
      size ${integer} NOT NULL,
      cid ${text} NOT NULL,
      created_at ${integer} NOT NULL,
      leaves ${bytes} NOT NULL
    )${table}`,
    `CREATE TABLE blob_locations (
      id ${identity},
      blob_id ${integer} NOT NULL REFERENCES blobs (id),
      backend ${text} NOT NULL,
      key ${text},
      state ${text} NOT NULL CHECK (state IN ('good', 'damaged', 'missing')),
      verified_at ${integer} NOT NULL,
      bytes ${bytes},
      UNIQUE (blob_id, backend),
      UNIQUE (backend, key),
      CHECK (CASE WHEN backend = 'inline' THEN key IS NULL AND bytes IS NOT NULL
                  ELSE key IS NOT NULL AND bytes IS NULL END)
    )${table}`,
    `CREATE VIEW good_locations AS SELECT * FROM blob_locations WHERE state = 'good'`,
    // From the first 8 bytes of a block's hash to the blobs that may contain it; the packed hashes confirm it.
    `CREATE TABLE blocks (
      hash8 ${bytes} NOT NULL,
      blob_id ${integer} NOT NULL REFERENCES blobs (id),
      level ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      PRIMARY KEY (hash8, blob_id, level, ordinal)
    )${indexTable}`,
    `CREATE INDEX blocks_by_blob ON blocks (blob_id)`,
  ]
}

function links({ text, integer, boolean, indexTable }: SchemaWords): string[] {
  return [
    // `namespace` and `public` repeat what the repository says; every step that changes it changes them.
    `CREATE TABLE repository_blobs (
      repository_id ${text} NOT NULL REFERENCES repositories (id),
      digest ${text} NOT NULL,
      blob_id ${integer} NOT NULL REFERENCES blobs (id),
      namespace ${text} NOT NULL,
      public ${boolean} NOT NULL,
      lease_until ${integer},
      unreferenced_since ${integer},
      hidden_at ${integer},
      PRIMARY KEY (repository_id, digest)
    )${indexTable}`,
    `CREATE VIEW live_links AS SELECT * FROM repository_blobs WHERE hidden_at IS NULL`,
    // Where a blob could be mounted from; the first is also how the collector finds the links of a blob.
    `CREATE INDEX repository_blobs_by_namespace ON repository_blobs (blob_id, digest, namespace, hidden_at)`,
    `CREATE INDEX repository_blobs_public ON repository_blobs (blob_id, digest) WHERE hidden_at IS NULL AND public`,
    // The queue of the collector: links that no manifest is known to need.
    `CREATE INDEX repository_blobs_to_collect ON repository_blobs (lease_until, unreferenced_since)
      WHERE lease_until IS NOT NULL OR unreferenced_since IS NOT NULL`,
  ]
}

function manifests({ text, integer, boolean, identity, table, indexTable }: SchemaWords): string[] {
  return [
    `CREATE TABLE manifests (
      id ${identity},
      repository_id ${text} NOT NULL REFERENCES repositories (id),
      digest ${text} NOT NULL,
      blob_id ${integer} NOT NULL REFERENCES blobs (id),
      size ${integer} NOT NULL,
      media_type ${text} NOT NULL,
      artifact_type ${text},
      subject ${text},
      annotations ${text},
      pushed_by ${text} NOT NULL,
      pushed_at ${integer} NOT NULL,
      deleted_at ${integer},
      UNIQUE (repository_id, digest)
    )${table}`,
    `CREATE VIEW live_manifests AS SELECT * FROM manifests WHERE deleted_at IS NULL`,
    `CREATE INDEX manifests_by_blob ON manifests (blob_id)`,
    `CREATE INDEX manifests_by_subject ON manifests (repository_id, subject, digest)
      WHERE deleted_at IS NULL AND subject IS NOT NULL`,
    `CREATE INDEX manifests_by_subject_and_type ON manifests (repository_id, subject, artifact_type, digest)
      WHERE deleted_at IS NULL AND subject IS NOT NULL AND artifact_type IS NOT NULL`,
    // What a manifest needs. `live` repeats that the manifest is not deleted, so that "who needs this?" is one probe
    // of an index however many deleted manifests needed it too.
    `CREATE TABLE manifest_refs (
      manifest_id ${integer} NOT NULL REFERENCES manifests (id),
      digest ${text} NOT NULL,
      repository_id ${text} NOT NULL,
      kind ${text} NOT NULL CHECK (kind IN ('blob', 'manifest', 'foreign')),
      live ${boolean} NOT NULL,
      PRIMARY KEY (manifest_id, digest)
    )${indexTable}`,
    `CREATE INDEX manifest_refs_live ON manifest_refs (repository_id, digest) WHERE live`,
  ]
}

function tags({ text, integer, identity, table, indexTable }: SchemaWords): string[] {
  return [
    `CREATE TABLE tags (
      repository_id ${text} NOT NULL REFERENCES repositories (id),
      name ${text} NOT NULL,
      manifest_id ${integer} NOT NULL REFERENCES manifests (id),
      updated_at ${integer} NOT NULL,
      updated_by ${text} NOT NULL,
      PRIMARY KEY (repository_id, name)
    )${indexTable}`,
    `CREATE INDEX tags_by_manifest ON tags (manifest_id)`,
    `CREATE TABLE tag_history (
      id ${identity},
      repository_id ${text} NOT NULL REFERENCES repositories (id),
      tag ${text} NOT NULL,
      from_digest ${text},
      to_digest ${text},
      changed_by ${text} NOT NULL,
      changed_at ${integer} NOT NULL
    )${table}`,
    `CREATE INDEX tag_history_by_tag ON tag_history (repository_id, tag, id)`,
  ]
}

function uploads({ text, bytes, integer, identity, table, indexTable }: SchemaWords): string[] {
  return [
    // An ended session stays until `expires_at`, so that what its writers left behind can be found by its id.
    `CREATE TABLE uploads (
      id ${text} NOT NULL PRIMARY KEY,
      repository_id ${text} NOT NULL REFERENCES repositories (id),
      principal ${text} NOT NULL,
      backend ${text} NOT NULL,
      algorithm ${text},
      received ${integer} NOT NULL,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL,
      ended_at ${integer}
    )${indexTable}`,
    `CREATE INDEX uploads_of_repository ON uploads (repository_id, ended_at, expires_at)`,
    `CREATE INDEX uploads_open ON uploads (expires_at) WHERE ended_at IS NULL`,
    `CREATE INDEX uploads_ended ON uploads (expires_at) WHERE ended_at IS NOT NULL`,
    `CREATE TABLE upload_parts (
      id ${identity},
      upload_id ${text} NOT NULL REFERENCES uploads (id),
      start ${integer} NOT NULL,
      size ${integer} NOT NULL,
      key ${text},
      sha256 ${bytes},
      sha512 ${bytes},
      leaves ${bytes},
      bytes ${bytes},
      UNIQUE (upload_id, start),
      CHECK ((key IS NULL) <> (bytes IS NULL))
    )${table}`,
  ]
}

function queues({ text, integer, identity, identityOnce, table }: SchemaWords): string[] {
  return [
    // Ids are never given again: a deletion that is reported late must not make the database forget another object.
    `CREATE TABLE pending_deletes (
      id ${identityOnce},
      backend ${text} NOT NULL,
      key ${text} NOT NULL,
      queued_at ${integer} NOT NULL,
      UNIQUE (backend, key)
    )${table}`,
    `CREATE TABLE jobs (
      id ${identity},
      kind ${text} NOT NULL,
      payload ${text} NOT NULL,
      run_after ${integer} NOT NULL,
      leased_until ${integer},
      attempts ${integer} NOT NULL DEFAULT 0,
      created_at ${integer} NOT NULL
    )${table}`,
    `CREATE INDEX jobs_due ON jobs (run_after)`,
  ]
}
