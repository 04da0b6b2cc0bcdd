import type { Migration } from './index.ts'

/** Ways into the history of tags besides that of one tag from its newest change. */
export const tagHistoryIndexes: Migration = {
  version: 2,
  name: 'tag-history-indexes',
  worksFrom: 1,
  statements: () => [
    // All changes of a repository, those of deleted tags included.
    `CREATE INDEX tag_history_of_repository ON tag_history (repository_id, id)`,
    // What a tag was at a moment.
    `CREATE INDEX tag_history_by_time ON tag_history (repository_id, tag, changed_at, id)`,
    // Which tags went with a manifest. Few changes are removals.
    `CREATE INDEX tag_history_removals ON tag_history (repository_id, from_digest, id) WHERE to_digest IS NULL`,
  ],
}
