import { lockMutations } from './lock-mutations.ts'
import type { Mutation } from './mutation.ts'

const disk = 'packages/blobs/src/disk'
const push = 'packages/core/src/push'
const housekeeping = 'packages/core/src/housekeeping'
const metadata = 'packages/metadata/src'
const steps = `${metadata}/steps`
const rows = `${metadata}/rows`

const syncs: readonly Mutation[] = [
  {
    name: 'no sync of the file',
    loses: 'bytes of an acknowledged blob, after a power cut',
    edits: [[`${disk}/write-object.ts`, 'await guarded(writeBack.finish())', 'await writeBack.settled()']],
  },
  {
    name: 'no sync of the folder',
    loses: 'the name of an acknowledged blob, after a power cut',
    edits: [[`${disk}/write-object.ts`, 'await guarded(folder.sync())', 'void folder']],
  },
]

const uploads: readonly Mutation[] = [
  {
    name: 'no compare-and-set in addPart',
    loses: 'where an upload stands, when two clients continue it',
    edits: [
      [
        `${steps}/add-part.ts`,
        'WHERE id = ${upload} AND received = ${part.offset} AND',
        'WHERE id = ${upload} AND',
      ],
    ],
  },
  {
    name: 'no compare-and-set in commitBlob',
    loses: 'bytes that were acknowledged while the upload was being closed',
    edits: [[`${rows}/session.ts`, 'AND received = ${offset} AND', 'AND']],
  },
  {
    name: '201 before the commit',
    loses: 'a blob that was acknowledged and never committed',
    edits: [
      [
        `${push}/finish-upload.ts`,
        'await commit(ports, session, whole, {',
        'void commit(ports, session, whole, {',
      ],
    ],
  },
  {
    name: 'the object of a step that may have happened is deleted',
    loses: 'a part whose row is there',
    edits: [
      [
        `${push}/append-part.ts`,
        'if (isLostRace(error)) await discard(ports, session, received)',
        'await discard(ports, session, received)',
      ],
    ],
    fault: 'failing steps',
  },
  {
    name: 'parts that were joined stay',
    loses: 'space',
    edits: [
      [
        `${rows}/session.ts`,
        '(key === null || key === kept ? [] : [key])',
        '(key === null || key === kept ? [] : [])',
      ],
      [`${steps}/sweep-upload.ts`, 'WHERE NOT EXISTS (', 'WHERE FALSE AND NOT EXISTS ('],
    ],
  },
  {
    name: 'a sweep that does not look for locations',
    loses: 'every blob whose upload has run out of time',
    edits: [[`${steps}/sweep-upload.ts`, 'WHERE NOT EXISTS (', 'WHERE TRUE OR NOT EXISTS (']],
  },
]

const content: readonly Mutation[] = [
  {
    name: 'the wrong object is deleted',
    loses: 'a blob that is pushed a second time',
    edits: [
      [
        `${rows}/location.ts`,
        'if (key !== null && key !== good.key) yield* deleteLater(sql, place, key)',
        'if (key !== null && good.key !== null && key !== good.key) yield* deleteLater(sql, place, good.key)',
      ],
    ],
  },
  {
    name: 'a manifest without a look at its blobs',
    loses: 'the promise that what a manifest needs is here',
    edits: [[`${rows}/manifest.ts`, 'if (missing.length > 0) {', 'if (missing.length < 0) {']],
  },
  {
    name: 'a deleted manifest keeps its tags',
    loses: 'the deletion: a tag leads to what is gone',
    edits: [[`${rows}/retired-manifest.ts`, 'yield* dropTagsOf(', 'void (']],
  },
  {
    name: 'a hidden blob that is still read',
    loses: 'the deletion of a blob',
    edits: [[`${steps}/delete-blob.ts`, 'SET hidden_at = ${sql.now}', 'SET hidden_at = hidden_at']],
  },
]

const collection: readonly Mutation[] = [
  {
    name: 'no lease',
    loses: 'a blob between its push and that of its manifest',
    edits: [
      [
        `${rows}/link.ts`,
        'THEN ${sql.now} END, ${sql.now} + ${lease},',
        'THEN ${sql.now} END, ${sql.now} + 0 * ${lease},',
      ],
    ],
  },
  {
    name: 'no time of grace',
    loses: 'what a deletion by mistake took',
    edits: [
      [
        `${steps}/collect-manifests.ts`,
        'WHERE deleted_at <= ${sql.now} - ${grace}',
        'WHERE deleted_at <= ${sql.now} - 0 * ${grace}',
      ],
    ],
  },
  {
    name: 'neither a deletion nor the collector asks who else needs a blob',
    loses: 'a blob that a second manifest needs; either question alone is enough',
    edits: [
      [
        `${rows}/link.ts`,
        'AND unreferenced_since IS NULL\n      AND NOT EXISTS (',
        'AND unreferenced_since IS NULL\n      AND NOT EXISTS (SELECT 1 WHERE FALSE) OR FALSE AND NOT EXISTS (',
      ],
      [
        `${steps}/collect-links.ts`,
        'digest IN ${sql.texts(digests)}\n      AND NOT EXISTS (',
        'digest IN ${sql.texts(digests)}\n      AND NOT EXISTS (SELECT 1 WHERE FALSE) OR FALSE AND NOT EXISTS (',
      ],
    ],
  },
  {
    name: 'a collector that does not ask who needs a link',
    loses: 'a blob that a manifest named before it came',
    edits: [
      [
        `${steps}/collect-links.ts`,
        'AND needed.live)\n    RETURNING',
        'AND needed.live AND FALSE)\n    RETURNING',
      ],
    ],
    suite: { file: `${metadata}/sqlite/contract.test.ts`, tests: 'turns out to be needed is put right' },
  },
  {
    name: 'a deletion that does not ask who else needs a blob',
    loses: 'nothing while the collector asks, but it is the first of two who do',
    edits: [[`${rows}/link.ts`, 'AND needed.live\n      )`)', 'AND needed.live AND FALSE\n      )`)']],
    suite: {
      file: `${metadata}/sqlite/contract.test.ts`,
      tests: 'starts the time of blobs that nothing else needs',
    },
  },
  {
    name: 'answers that are kept although somebody has written',
    loses: 'every change: whoever asked before it is told what was',
    edits: [
      [
        `${metadata}/sqlite/kept-answers.ts`,
        'if (version === this.#version) return',
        'if (this.#version !== null) return',
      ],
    ],
    suite: { file: `${metadata}/sqlite/reader.test.ts`, tests: 'until somebody has written' },
  },
  {
    name: 'a push once more that does not count',
    loses: 'a referrer whose push was acknowledged after the deletion of its subject',
    edits: [[`${rows}/manifest.ts`, 'if (changed || goneAt >= found.pushed_at) {', 'if (changed) {']],
    short: true,
  },
  {
    name: 'a collector that does not ask who else has the blob',
    loses: 'the blob of another repository, but for the foreign key',
    edits: [
      [
        `${steps}/collect-blobs.ts`,
        'AND NOT EXISTS (SELECT 1 FROM repository_blobs AS k WHERE k.blob_id = b.id)',
        '',
      ],
    ],
  },
  {
    name: 'pending deletes are forgotten before their objects are gone',
    loses: 'space for ever',
    edits: [
      [
        `${housekeeping}/delete-pending.ts`,
        'await backendNamed(ports, backend).delete(key)',
        'void [backend, key]',
      ],
    ],
  },
]

const ownFolder = 'packages/core/src/backends/own-blob-store.ts'

const mounts: readonly Mutation[] = [
  {
    name: 'what is missing is believed at once',
    loses: 'every blob that is asked for while the disk is not mounted',
    edits: [[ownFolder, 'await ownership.confirm()\n    return ask()', 'return found']],
    fault: 'blobs not mounted',
  },
  {
    name: 'what was written is believed to be on the disk',
    loses: 'what is pushed into the folder that the disk hides when it is back',
    edits: [
      [ownFolder, 'await ownership.confirm()\n        // The disk', '// The disk'],
      [ownFolder, 'if ((await store.stat(key)) === null) throw lostAtOnce(key)', 'void lostAtOnce'],
    ],
    fault: 'blobs not mounted',
  },
]

const postgres: readonly Mutation[] = [
  {
    name: 'a commit whose answer was lost is tried again',
    loses: 'what that commit did: the second try finds it in its way',
    edits: [
      [
        `${metadata}/postgres/run-transaction.ts`,
        'throw await afterCommit(connection, error)\n  }\n  return turn.value',
        'throw error\n  }\n  return turn.value',
      ],
    ],
    fault: 'connections cut',
    shape: 'replicas',
  },
]

/** Every one must be noticed. */
export const mutations: readonly Mutation[] = [
  ...syncs,
  ...uploads,
  ...content,
  ...collection,
  ...mounts,
  ...postgres,
  ...lockMutations,
]
