import type { Mutation, Suite } from './mutation.ts'

const metadata = 'packages/metadata/src'

/** Moments that are made: one step stands still before its commit, and another one runs. */
function moment(tests: string): Suite {
  return { file: `${metadata}/postgres/two-steps-at-once.test.ts`, tests }
}

/** Locks that SQLite has no need of: its one writer is the lock. So they show on PostgreSQL alone. */
export const lockMutations: readonly Mutation[] = [
  {
    name: 'a collector that does not lock what goes with a deleted manifest',
    loses: 'a referrer that is tagged, named or pushed once more in that moment',
    edits: [
      [
        `${metadata}/rows/attached-manifest.ts`,
        "${sql.lock('FOR UPDATE SKIP LOCKED')}`)\n  return new Map(",
        '`)\n  return new Map(',
      ],
    ],
    shape: 'replicas',
    short: true,
  },
  {
    name: 'a tag of a signature is dropped by its name',
    loses: 'a tag that is moved in that moment',
    edits: [
      [
        `${metadata}/rows/attached-manifest.ts`,
        'return manifest_id === id && updated_at <= subject_deleted_at',
        'return manifest_id === id || updated_at > subject_deleted_at',
      ],
    ],
    suite: moment('a tag of a signature that is being moved'),
  },
  {
    name: 'an index that does not hold what it names',
    loses: 'a child that the collector takes in that moment',
    edits: [
      [`${metadata}/rows/manifest.ts`, "${sql.lock('FOR KEY SHARE')}`)\n  const known", '`)\n  const known'],
    ],
    suite: moment('with the index that is being pushed|is missing to an index'),
  },
  {
    name: 'an undelete that does not hold what it names',
    loses: 'a child that the collector takes in that moment',
    edits: [[`${metadata}/steps/restore-manifest.ts`, 'yield* holdLive(sql, tree)', 'void holdLive']],
    suite: moment('with the index that is being restored'),
  },
  {
    name: 'a collector that does not lock links',
    loses: 'a blob that a manifest comes to need in that moment',
    edits: [
      [
        `${metadata}/steps/collect-links.ts`,
        "ORDER BY lease_until LIMIT ${limit} ${sql.lock('FOR UPDATE SKIP LOCKED')}",
        'ORDER BY lease_until LIMIT ${limit}',
      ],
    ],
    shape: 'replicas',
    short: true,
  },
  {
    name: 'a manifest that does not lock the links that it needs',
    loses: 'the promise that what a manifest needs is here',
    edits: [
      [
        `${metadata}/rows/link.ts`,
        "ORDER BY digest ${sql.lock('FOR NO KEY UPDATE')}`)\n  return {",
        '`)\n  return {',
      ],
    ],
    suite: moment('a blob whose lease is over stays|a blob that is being taken is missing'),
  },
  {
    name: 'a push that does not hold the content it found',
    loses: 'nothing, since a foreign key catches it and the step is taken again',
    edits: [
      [
        `${metadata}/rows/blob.ts`,
        "WHERE sha256 = ${blob.sha256} ${sql.lock('FOR KEY SHARE')}",
        'WHERE sha256 = ${blob.sha256}',
      ],
    ],
    suite: moment('content that is about to be linked'),
  },
  {
    name: 'a collector that does not lock blobs',
    loses: 'nothing, since a foreign key catches it; but it waits for pushes',
    edits: [
      [
        `${metadata}/steps/collect-blobs.ts`,
        "WHERE id IN ${asked} ORDER BY id ${sql.lock('FOR UPDATE SKIP LOCKED')}",
        'WHERE id IN ${asked} ORDER BY id',
      ],
    ],
    suite: moment('content that is about to be linked'),
  },
  {
    name: 'a job that two may lease',
    loses: 'that a job is done once',
    edits: [[`${metadata}/steps/lease-job.ts`, "LIMIT 1 ${sql.lock('FOR UPDATE SKIP LOCKED')}", 'LIMIT 1']],
    suite: {
      file: `${metadata}/postgres/contract.test.ts`,
      tests: 'goes to one of many who ask at once',
    },
  },
  {
    name: 'no compare-and-set at the end of a job',
    loses: 'what whoever took the job over does',
    edits: [
      [
        `${metadata}/steps/end-job.ts`,
        'DELETE FROM jobs WHERE id = ${id} AND lease_token = ${token} AND',
        'DELETE FROM jobs WHERE id = ${id} AND',
      ],
    ],
    suite: {
      file: `${metadata}/postgres/contract.test.ts`,
      tests: 'whoever had it changes nothing any more',
    },
  },
]
